"""Clips of the demonstration: what is seen and heard in them is what their labels say."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avelzoo.demo import frames as pictures, sounds
from avelzoo.demo.clips import split_of, write_clips
from avelzoo.demo.scenes import LEADS, SECONDS, WHOLE, draw_scenes
from avelzoo.demo.steps import compare
from avelzoo.extractors import AudioSampling, FrameSampling
from avelzoo.media.reading import read_media

SCENES = draw_scenes(120, seed=3, prefix="clip")


def test_the_event_is_what_is_both_seen_and_heard():
    for scene in SCENES:
        both = [
            second
            for second in range(SECONDS)
            if pictures.active(scene.seen, second) and pictures.active(scene.heard, second)
        ]
        assert both == (list(range(*scene.event)) if scene.event else [])


def test_the_misleading_modality_is_always_active():
    for scene in SCENES:
        if scene.event is None:
            continue
        expected = {
            "audio-led": (WHOLE, scene.event),
            "visual-led": (scene.event, WHOLE),
            "balanced": (scene.event, scene.event),
        }
        assert (scene.seen, scene.heard) == expected[LEADS[scene.category]]


def test_scenes_are_balanced_and_follow_the_seed():
    assert set(Counter(scene.category for scene in SCENES).values()) == {20}
    assert 2 <= sum(scene.event is None for scene in SCENES) <= 30
    assert draw_scenes(6, 3, "clip") == SCENES[:6]
    assert draw_scenes(6, 4, "clip") != SCENES[:6]
    assert all(scene.event for scene in draw_scenes(30, 1, "new", empty=0))


@pytest.mark.parametrize("category", LEADS)
def test_sound_and_picture_show_when_the_thing_is_active(category):
    scene = next(scene for scene in SCENES if scene.category == category and scene.event and scene.event[0] > 0)
    sound = sounds.sound(scene).reshape(SECONDS, -1)
    loud = np.sqrt((sound**2).mean(axis=1))
    heard = np.array([pictures.active(scene.heard, second) for second in range(SECONDS)])
    assert loud[heard].min() > 0.05
    if not heard.all():
        assert loud[heard].min() > 1.5 * loud[~heard].max()
    quiet = replace(scene, decoy=(0, 0))
    film = np.stack(list(pictures.frames(quiet))).astype(float)
    motion = np.abs(np.diff(film, axis=0)).mean(axis=(1, 2, 3))
    per_second = np.array([motion[s * pictures.FPS : (s + 1) * pictures.FPS - 1].mean() for s in range(SECONDS)])
    seen = np.array([pictures.active(scene.seen, second) for second in range(SECONDS)])
    if not seen.all():
        assert per_second[seen].min() > per_second[~seen].max() + 0.2


def test_files_can_be_read_and_labels_name_them(tmp_path):
    made = write_clips(tmp_path, 8, seed=5, new=2)
    rows = list(csv.DictReader(made.table.read_text().splitlines()))
    assert [row["video"] for row in rows] == [path.name for path in sorted(made.videos.iterdir())]
    assert {row["split"] for row in rows} == {"train", "val", "test"}
    with read_media(
        made.new[0][0],
        frames=FrameSampling(per_segment=2, prepare=lambda frame: frame.copy()),
        audio=AudioSampling(rate=sounds.RATE),
    ) as reader:
        segments = list(reader)
    assert len(segments) == SECONDS
    assert reader.report.status == "ok"
    assert segments[0].frames.shape == (2, pictures.HEIGHT, pictures.WIDTH, 3)


def test_splits_are_shares_of_the_clips():
    assert Counter(split_of(i, 100) for i in range(100)) == {"train": 70, "val": 15, "test": 15}


def test_comparisons_count_seconds():
    scene = next(scene for scene in SCENES if scene.event == (2, 6))
    path = Path("new.mp4")
    right = [{"category": scene.category, "start": 2.0, "end": 6.0}]
    assert compare(scene, path, right, SECONDS).agreement == 1
    late = [{"category": scene.category, "start": 3.0, "end": 7.0}]
    assert compare(scene, path, late, SECONDS).agreement == pytest.approx(0.8)
    assert compare(scene, path, [], SECONDS).found == "no event"
    assert compare(scene, path, [], SECONDS).agreement == pytest.approx(0.6)
