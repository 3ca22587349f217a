"""Features kept on the device: the same batches, the same run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from avelzoo import engine
from avelzoo.builtin.datasets.configs import WorldsConfig
from avelzoo.engine.device_cache import CachedDataset, cached
from avelzoo.errors import OptionError
from tests.engine.reading import numbers
from tests.engine.tiny import TinyData, composed, tiny_registry

CPU = torch.device("cpu")
FORMATS = ("float32", "float16", "bfloat16")


def run(out, **options):
    return engine.run(composed(**options), out, registry=tiny_registry(), device="cpu")


@pytest.mark.parametrize("kept", FORMATS)
@pytest.mark.parametrize("supervision", ["full", "weak"])
def test_a_fetch_is_the_data_sets_rounded(kept, supervision):
    small = WorldsConfig(train_videos=40, negatives=5, val_videos=3, test_videos=3, visual_channels=8, segments=4)
    dataset = small.open(supervision)
    held = cached(dataset, CPU, kept)
    assert held.spec == dataset.spec
    assert held.fingerprint() == dataset.fingerprint()
    for name in ("train", "test"):
        split, own = dataset.split(name), held.split(name)
        assert len(own) == len(split)
        assert own.video_ids == split.video_ids
        np.testing.assert_array_equal(own.labels(), split.labels())
        np.testing.assert_array_equal(own.events(), split.events())
        places = np.array([2, 0, 2, len(split) - 1])
        (batch, targets), (expected, known) = own.fetch(places), split.fetch(places)
        for part in ("audio", "visual"):
            found = getattr(batch, part)
            assert found.dtype == getattr(torch, kept)
            assert torch.equal(found, getattr(expected, part).to(found.dtype))
        assert torch.equal(batch.rows, expected.rows)
        assert torch.equal(targets.event, known.event)
        assert torch.equal(targets.presence, known.presence)
        assert targets.background == known.background
        assert (targets.segments is None) == (known.segments is None)
        if known.segments is not None:
            assert torch.equal(targets.segments, known.segments)


def test_a_split_is_read_once(monkeypatch):
    dataset = TinyData(composed().recipe.dataset)
    held = CachedDataset(dataset, CPU, torch.float32)
    split = held.split("train")
    monkeypatch.setattr(type(dataset.split("train")), "fetch", None)
    assert held.split("train") is split
    assert len(split.fetch([1, 2])[0].rows) == 2


def test_in_float32_it_is_the_same_run(tmp_path):
    plain, kept = (run(tmp_path / name, train_epochs=2, compute_cache_on_device=name) for name in ("off", "float32"))
    assert kept.scores == plain.scores
    assert numbers(tmp_path / "float32") == numbers(tmp_path / "off")


@pytest.mark.parametrize("kept", ["float16", "bfloat16"])
def test_in_half_precision_it_learns_as_well(tmp_path, kept):
    easy = {"dataset_videos": 80, "dataset_noise": 0.1, "dataset_test_noise": 0.1}
    result = run(tmp_path / "run", train_epochs=30, compute_cache_on_device=kept, **easy)
    assert result.scores["test"].segment_accuracy > 0.9


def test_numbers_too_large_for_float16(monkeypatch):
    split = TinyData(composed().recipe.dataset).split("train")
    fetch = split.fetch

    def loud(indices):
        batch, targets = fetch(indices)
        return replace(batch, audio=batch.audio * 1e6), targets

    monkeypatch.setattr(split, "fetch", loud)
    dataset = TinyData(composed().recipe.dataset)
    monkeypatch.setattr(dataset, "split", lambda name: split)
    with pytest.raises(OptionError, match="audio features of the split 'train' are too large for float16") as caught:
        cached(dataset, CPU, "float16").split("train")
    assert "65504" in str(caught.value)
    assert "bfloat16" in str(caught.value)
    assert cached(dataset, CPU, "bfloat16").split("train").fetch([0])[0].audio.isfinite().all()
