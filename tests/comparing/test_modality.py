"""Which modality leads a category, decided on training videos."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from avelzoo import HardWorldsConfig, WorldsConfig
from avelzoo.comparing.grouping import named_groups
from avelzoo.comparing.modality import Modality, modality
from avelzoo.engine.pooling import pooled_features
from avelzoo.errors import OptionError
from avelzoo.metrics import Truth
from avelzoo.metrics.signature import data_hash
from tests.cli.conftest import Call, call  # noqa: F401 - a fixture


def decided(config: WorldsConfig) -> Modality:
    opened = config.open("full")
    split = opened.split("train")
    truth = Truth(
        segments=split.labels(), events=split.events(), lengths=split.lengths(), categories=opened.spec.categories
    )
    return modality(*pooled_features(split), truth, resamples=500)


def test_the_bias_of_worlds_is_found() -> None:
    found = decided(WorldsConfig())
    assert found.led == {name: name.rpartition("-")[0] for name in found.categories}
    for name, one in found.categories.items():
        assert one.audio is not None
        assert one.visual is not None
        assert one.difference["value"] == pytest.approx(one.audio - one.visual)
        if one.led == "audio-led":
            assert one.audio > one.visual + 0.2, name


def test_few_videos_leave_categories_balanced_rather_than_wrong() -> None:
    """Twelve videos per category: some led categories are not shown to be led, none is led by the other modality."""
    led = decided(HardWorldsConfig(audio_led=3, visual_led=3, balanced=2, train_videos=96)).led
    pairs = {(name.rpartition("-")[0], kind) for name, kind in led.items()}
    assert not pairs & {("audio-led", "visual-led"), ("visual-led", "audio-led")}
    assert {kind for _, kind in pairs} >= {"audio-led", "balanced"}


def made(videos: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Truth]:
    """One category; audio follows the event, visual is noise; half of every video is background."""
    rng = np.random.default_rng(seed)
    segments = np.where(np.arange(4) < 2, 0, 1) * np.ones((videos, 1), dtype=int)
    truth = Truth(segments=segments, events=np.zeros(videos, dtype=int), categories=("dog",))
    audio = rng.normal(size=(videos, 4, 3)) + 5 * truth.relevance[..., None]
    return audio, rng.normal(size=(videos, 4, 2)), truth


def test_scores_are_recalls_on_held_out_videos() -> None:
    audio, visual, truth = made(20)
    one = modality(audio, visual, truth, resamples=200).categories["dog"]
    assert one.led == "audio-led"
    assert one.audio == 1.0
    assert one.visual is not None
    assert 0.25 < one.visual < 0.75
    assert (one.videos, one.partial) == (20, 20)
    swapped = modality(visual, audio, truth, resamples=200).categories["dog"]
    assert swapped.led == "visual-led"
    assert swapped.visual == 1.0


def test_padding_changes_nothing() -> None:
    audio, visual, truth = made(20)
    padded = Truth(
        segments=np.pad(truth.segments, ((0, 0), (0, 2)), constant_values=1),
        events=truth.events,
        categories=truth.categories,
        lengths=np.full(20, 4),
    )
    plain = modality(audio, visual, truth, resamples=200).to_dict()
    audio, visual = (np.pad(x, ((0, 0), (0, 2), (0, 0)), constant_values=9.0) for x in (audio, visual))
    assert modality(audio, visual, padded, resamples=200).to_dict() == plain


def test_too_few_videos_are_balanced() -> None:
    audio, visual, truth = made(2)
    assert modality(audio, visual, truth, folds=2, resamples=50).led == {"dog": "balanced"}
    everywhere = Truth(segments=np.zeros((9, 4), dtype=int), events=np.zeros(9, dtype=int), categories=("dog",))
    audio, visual, _ = made(9)
    one = modality(audio, visual, everywhere, resamples=50).categories["dog"]
    assert (one.led, one.audio, one.difference["low"]) == ("balanced", None, None)


def test_numbers_out_of_range_are_refused() -> None:
    audio, visual, truth = made(4)
    with pytest.raises(OptionError, match="folds"):
        modality(audio, visual, truth)
    with pytest.raises(OptionError, match="margin"):
        modality(audio, visual, truth, folds=2, margin=0.0)


@pytest.mark.slow
def test_the_command_writes_a_file_for_groups(call: Call, tmp_path: Path) -> None:  # noqa: F811
    small = ("--set", "dataset.train_videos=36", "--set", "dataset.segments=6")
    told = call("data", "modality", "--dataset", "worlds", *small, "--out", tmp_path / "m.json", "--json")
    assert told.code == 0, told.err
    assert told.json == json.loads((tmp_path / "m.json").read_text())
    opened = WorldsConfig(train_videos=36, segments=6).open("full")
    split = opened.split("train")
    truth = Truth(segments=split.labels(), events=split.events(), categories=opened.spec.categories)
    assert told.json["data"] == data_hash(split.video_ids, truth)
    groups = named_groups(str(tmp_path / "m.json"), truth, split.video_ids)
    assert sum(inside.sum() for inside in groups.values()) == 36


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no data given"),
        (("--dataset", "worlds", "--set", "train.epochs=1"), "only options of the data set"),
        (("folder", "--dataset", "worlds"), "reads no folder"),
    ],
)
def test_the_command_refuses(call: Call, words: tuple[str, ...], message: str) -> None:  # noqa: F811
    told = call("data", "modality", *words)
    assert (told.code, message in told.err) == (2, True)
