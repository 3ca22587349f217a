"""The threshold chosen on val: kept with the weights, reported beside the fixed one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from avelzoo import load_run, run
from avelzoo.engine.deciding import at_both, tune
from avelzoo.metrics import PredictionArrays, Truth, best_threshold, decided_at, segment_accuracy
from avelzoo.metrics.stored import load_predictions
from avelzoo.nn.decision import Decision

SMALL = {
    "dataset.train_videos": 24, "dataset.val_videos": 30, "dataset.test_videos": 30, "dataset.audio_led": 1,
    "dataset.visual_led": 1, "dataset.balanced": 1, "dataset.grid_height": 1, "dataset.grid_width": 2,
    "dataset.run_lengths": "partial", "dataset.distractors": 0, "encoder.width": 16, "encoder.heads": 2,
    "encoder.feedforward": 16,
}  # fmt: skip


def answers_of(decision: Decision, score: torch.Tensor, category: torch.Tensor, n: int) -> PredictionArrays:
    """As a head with this decision gives them."""
    event = decision.is_event(score)
    return PredictionArrays(
        segments=category[:, None].where(event, torch.tensor(n)).numpy(),
        category=category.numpy(),
        category_scores=torch.nn.functional.one_hot(category, n).float().numpy(),
        relevance=decision.relevance(score).numpy(),
    )


@pytest.fixture
def distances():
    """Scores -distance of 50 videos: events near 0.2, background near 0.6, a fixed margin of 0.9."""
    rng = np.random.default_rng(0)
    category = rng.integers(0, 4, 50)
    on = rng.random((50, 10)) < 0.6
    distance = np.where(on, 0.2, 0.6) + 0.05 * rng.standard_normal(on.shape)
    truth = Truth(segments=np.where(on, category[:, None], 4), events=category, categories=tuple("abcd"))
    return torch.from_numpy(-distance).float(), torch.from_numpy(category), truth


@pytest.mark.parametrize("use_tuned", [False, True])
def test_tuning_moves_the_tuned_rule_alone(distances, use_tuned):
    score, category, truth = distances
    decision = Decision(origin=-0.9, use_tuned=use_tuned, distances=True)
    before = answers_of(decision, score, category, 4)
    got = tune(decision, before, truth)
    again = answers_of(decision, score, category, 4)
    assert np.array_equal(got.segments, again.segments)
    np.testing.assert_allclose(got.relevance, again.relevance, rtol=1e-4)
    if use_tuned:
        assert segment_accuracy(got.segments, truth) > 0.99
        assert 0.3 < decision.distance_at(float(decision.tuned)) < 0.5
    else:
        assert np.array_equal(got.segments, before.segments)
    both = at_both(decision, got, truth)
    assert both.decides == ("val" if use_tuned else "fixed")
    assert both.fixed.distance == pytest.approx(0.9)
    assert both.fixed.segment_accuracy == pytest.approx(float((truth.segments != 4).mean()))
    assert both.val.segment_accuracy > 0.99


def test_the_fixed_rule_is_exact_at_its_origin():
    decision = Decision(origin=-0.7, distances=True)
    margin = torch.tensor(0.7)
    below, above = torch.nextafter(margin, torch.tensor(0.0)), torch.nextafter(margin, torch.tensor(1.0))
    assert decision.is_event(-torch.stack([below, margin, above])).tolist() == [True, False, False]


def test_a_threshold_at_an_end_decides_everything():
    score = torch.linspace(-3, 3, 7)
    for end, want in ((0.0, True), (1.0, False)):
        decision = Decision(use_tuned=True)
        decision.tuned.fill_(end)
        assert decision.is_event(score).tolist() == [want] * 7


@pytest.mark.parametrize("recipe", ["ead-b", "ead-b-tuned", "double-branch"])
def test_a_run_keeps_its_threshold_with_its_weights(recipe, tmp_path):
    result = run(recipe, options=SMALL | {"train.epochs": 2}, out=tmp_path / "run")
    loaded = load_run(tmp_path / "run")
    decision = loaded.model.head.decision
    assert decision is not None
    _, val, truth = load_predictions(tmp_path / "run" / "predictions.h5", "val")
    assert float(decision.tuned) == pytest.approx(best_threshold(val, truth), abs=1e-6)
    for split in ("val", "test"):
        _, found, true = load_predictions(tmp_path / "run" / "predictions.h5", split)
        thresholds = result.scores[split].thresholds
        decides = thresholds.decides
        assert decides == ("val" if recipe == "ead-b-tuned" else "fixed")
        assert getattr(thresholds, decides).segment_accuracy == result.scores[split].segment_accuracy
        at = float(decision.tuned) if decides == "val" else decision.threshold
        assert np.array_equal(decided_at(found, at).segments, found.segments)
        tuned = segment_accuracy(decided_at(found, float(decision.tuned)).segments, true)
        assert thresholds.val.segment_accuracy == pytest.approx(tuned)
    chosen = result.scores["val"].thresholds
    assert chosen.val.segment_accuracy >= chosen.fixed.segment_accuracy
