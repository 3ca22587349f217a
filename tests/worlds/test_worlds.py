"""Worlds: one run a video, two cues that disagree as the dial says, references that know or ignore why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from avelzoo import HardWorldsConfig, WorldsConfig
from avelzoo.builtin.datasets.worlds_generator import World
from avelzoo.builtin.datasets.worlds_intervals import AVE_COUNTS, length_law
from avelzoo.builtin.datasets.worlds_reference import Reference
from avelzoo.errors import OptionError

SMALL = WorldsConfig(train_videos=12, val_videos=5, test_videos=60, negatives=4)


def fetch_all(dataset, name):
    split = dataset.split(name)
    return split.fetch(np.arange(len(split)))


def test_the_same_seed_gives_the_same_world_and_another_one_does_not():
    first, _ = fetch_all(SMALL.open("full"), "train")
    again, _ = fetch_all(SMALL.open("full"), "train")
    other, _ = fetch_all(replace(SMALL, seed=1).open("full"), "train")
    assert torch.equal(first.audio, again.audio)
    assert torch.equal(first.visual, again.visual)
    assert not torch.equal(first.audio, other.audio)


def test_more_videos_in_one_split_change_no_other():
    one, _ = fetch_all(SMALL.open("full"), "test")
    two, _ = fetch_all(replace(SMALL, train_videos=40, val_videos=9).open("full"), "test")
    assert torch.equal(one.visual, two.visual)
    more, _ = fetch_all(replace(SMALL, test_videos=70).open("full"), "test")
    assert torch.equal(more.audio[:60], one.audio)


def test_labels_are_single_runs():
    labels = SMALL.open("full").split("test").labels()
    for row in labels != 9:
        assert np.abs(np.diff(np.concatenate([[0], row.astype(int), [0]]))).sum() <= 2


def test_run_lengths_are_aves():
    law = length_law("ave", 10)
    np.testing.assert_allclose(law, np.array(AVE_COUNTS) / sum(AVE_COUNTS))
    for name in ("ave", "uniform", "partial"):
        for t in (1, 2, 7, 10, 23):
            law = length_law(name, t)
            assert law.shape == (t + 1,)
            assert law.sum() == pytest.approx(1)
            assert (law >= 0).all()
    config = replace(SMALL, test_videos=2000, grid_height=1, grid_width=1, visual_channels=1, audio_channels=1)
    drawn = (config.open("full").split("test").labels() != 9).sum(axis=1)
    assert (drawn == 10).mean() == pytest.approx(2750 / 4143, abs=0.04)


def test_the_uninformative_modality_follows_the_truth_or_its_own_mind():
    for mislead in (0.0, 1.0):
        world = World(replace(SMALL, mislead=mislead))
        scenes = [world.scene("test", k) for k in range(300)]
        for k, bias in enumerate(world.biases):
            mine = [s for s in scenes if s.category == k]
            if bias != "visual-led":
                assert all((s.heard == s.event).all() for s in mine)
            if bias != "audio-led":
                assert all((s.seen == s.event).all() for s in mine)
        loose = [s for s in scenes if (s.heard != s.seen).any()]
        assert bool(loose) is (mislead == 1.0)


def accuracy(config, name):
    dataset = config.open("full")
    labels = dataset.split("test").labels()
    return (dataset.references("test")[name] == labels).mean()


def test_knowing_the_bias_pays_where_the_other_modality_misleads():
    honest, misleading = replace(SMALL, mislead=0.0, test_videos=150), replace(SMALL, test_videos=150)
    assert abs(accuracy(honest, "bias_aware") - accuracy(honest, "category_blind")) < 0.01
    assert accuracy(misleading, "bias_aware") > accuracy(misleading, "category_blind") + 0.04
    events = misleading.open("full").split("test")
    floor = (events.labels() == events.events()[:, None]).mean()
    assert accuracy(misleading, "bias_aware") > floor + 0.08


def test_signatures_fade_and_cues_weaken_as_the_options_say():
    still = {"noise": 0.0, "jitter": 0.0, "cue_noise": 0.0, "grid_height": 1, "grid_width": 1}
    world = World(replace(SMALL, rest=0.25, cue=0.5, **still))
    for number in range(40):
        scene = world.scene("test", number)
        audio, visual = world.features(scene, "test", number)
        cases = (
            (audio, scene.heard, world.sounds, world.audio_cue),
            (visual[:, 0, 0], scene.seen, world.looks, world.visual_cue),
        )
        for shown, active, signatures, cue in cases:
            for segment, on in zip(shown, active, strict=True):
                want = (1.0 if on else 0.25) * signatures[scene.category] + (1.5 if on else 1.0) * cue
                np.testing.assert_allclose(segment, want, rtol=1e-6)


def test_the_default_world_stays_what_it_was():
    dataset = WorldsConfig().open("full")
    batch, _ = dataset.split("test").fetch([0, 1, 2])
    means = [batch.audio.double().mean(), batch.visual.double().mean(), batch.visual.double().square().mean()]
    np.testing.assert_allclose(means, [1.3845358234, 0.4822889248, 0.9779296009], rtol=1e-7)
    assert dataset.fingerprint()["worlds"].startswith("sha256:4b3cbaf56b1c9afa")


def test_equal_options_are_one_world_and_fading_is_another():
    hard = HardWorldsConfig()
    assert hard.open("full").fingerprint() == WorldsConfig(**hard.to_dict()).open("full").fingerprint()
    prints = [replace(SMALL, **law).open("full").fingerprint()["worlds"] for law in ({}, {"rest": 0.9}, {"cue": 0.9})]
    assert len(set(prints)) == 3


def test_references_do_not_see_labels():
    dataset = SMALL.open("full")
    found = dataset.references("test")
    silent = World(SMALL)
    batch, _ = fetch_all(dataset, "test")
    again = Reference(silent).predict(batch.audio.numpy(), batch.visual.numpy())
    for name, ids in again.items():
        assert np.array_equal(found[name], ids)


@pytest.mark.parametrize(
    "change",
    [
        {"segments": 1},
        {"segments": 17, "run_lengths": "partial"},
        {"grid_height": 1, "grid_width": 1},
        {"grid_height": 2, "grid_width": 5, "distractors": 3},
        {"audio_channels": 1, "visual_channels": 1},
        {"audio_led": 1, "visual_led": 0, "balanced": 0},
        {"noise": 0.0, "cue_noise": 0.0, "jitter": 0.0, "clutter": 0.0},
    ],
)
def test_any_size_gives_finite_non_negative_features(change):
    config = replace(SMALL, test_videos=6, **change)
    dataset = config.open("full")
    batch, _ = fetch_all(dataset, "test")
    spec = dataset.spec
    assert batch.audio.shape == (6, spec.segments, spec.audio_dim)
    assert batch.visual.shape == (6, spec.segments, *spec.grid, spec.visual_dim)
    for features in (batch.audio, batch.visual):
        assert torch.isfinite(features).all()
        assert features.min() >= 0
    assert all(ids.shape == (6, spec.segments) for ids in dataset.references("test").values())


@pytest.mark.parametrize(("protocol", "videos"), [("onehot+neg", 16), ("onehot", 12), ("soft-duration", 16)])
def test_weak_protocols(protocol, videos):
    dataset = replace(SMALL, weak_protocol=protocol).open("weak")
    split = dataset.split("train")
    _, targets = fetch_all(dataset, "train")
    assert len(split) == videos
    assert targets.segments is None
    assert int((~targets.has_event).sum()) == videos - 12
    assert (targets.presence[~targets.has_event] == 0).all()
    if protocol == "soft-duration":
        share = (SMALL.open("full").split("train").labels() != 9).mean(axis=1)
        np.testing.assert_allclose(targets.presence[:12].numpy(), share, rtol=1e-6)
    else:
        assert (targets.presence[targets.has_event] == 1).all()


def test_a_world_needs_a_category():
    with pytest.raises(OptionError, match="has no event category"):
        WorldsConfig(audio_led=0, visual_led=0, balanced=0)
