"""Runs on videos of different length: trained, kept on the device, shared, scored, and read again."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from avelzoo import VariedWorldsConfig, engine, metrics
from avelzoo.composition.overrides import Override
from avelzoo.composition.resolving import resolve
from avelzoo.engine.device_cache import cached
from avelzoo.metrics.stored import load_predictions
from avelzoo.plugin.default import default_host

REGISTRY = default_host().registry
TINY = {
    "dataset.train_videos": 90,
    "dataset.val_videos": 30,
    "dataset.test_videos": 60,
    "dataset.audio_led": 1,
    "dataset.visual_led": 1,
    "dataset.balanced": 1,
    "dataset.audio_channels": 16,
    "dataset.visual_channels": 16,
    "dataset.mislead": 0.0,
    "train.epochs": 10,
    "optimizer.learning_rate": 0.01,
}


def composed(recipe, supervision):
    overrides = [Override(path, value, "test") for path, value in TINY.items()]
    choices = {"dataset": "worlds-varied", "encoder": "mean-pool"}
    return resolve(REGISTRY, recipe, supervision=supervision, choices=choices, overrides=overrides)


@pytest.mark.parametrize("supervision", ["full", "weak"])
def test_a_run_beats_its_floors_and_its_answers_are_background_in_padding(tmp_path, supervision):
    composition = composed("double-branch", supervision)
    result = engine.run(composition, tmp_path / "run", registry=REGISTRY, device="cpu")
    scores = result.scores["test"]
    ids, found, truth = load_predictions(tmp_path / "run" / "predictions.h5", "test")
    assert len(ids) == 60
    assert truth.lengths.min() < truth.lengths.max() == found.segments.shape[1]
    assert (found.segments[~truth.real] == truth.background).all()
    assert scores.segments == truth.lengths.sum()
    assert metrics.score(found, truth).segment_accuracy == scores.segment_accuracy
    assert scores.segment_accuracy > max(scores.floors.to_dict().values()) + 0.05


@pytest.mark.parametrize("kept", ["float32", "float16"])
def test_features_on_the_device_keep_their_mask(kept):
    dataset = VariedWorldsConfig(train_videos=5, val_videos=3, test_videos=40).open("full")
    split, own = dataset.split("test"), cached(dataset, torch.device("cpu"), kept).split("test")
    np.testing.assert_array_equal(own.lengths(), split.lengths())
    (batch, _), (expected, _) = own.fetch([3, 0, 39]), split.fetch([3, 0, 39])
    assert batch.mask.dtype == torch.bool
    assert torch.equal(batch.mask, expected.mask)
