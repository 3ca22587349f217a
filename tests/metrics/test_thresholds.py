"""Thresholds and scales chosen on labelled answers, against every alternative there is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from avelzoo.metrics import (
    PredictionArrays,
    Truth,
    best_threshold,
    calibration_error,
    decided_at,
    fit_scale,
    segment_accuracy,
)


def drawn(seed: int, *, videos: int = 12, n: int = 3, levels: int | None = None) -> tuple[PredictionArrays, Truth]:
    """PredictionArrays whose relevance goes with the truth, in ``levels`` distinct values if given."""
    rng = np.random.default_rng(seed)
    events = rng.integers(0, n, videos)
    segments = np.where(rng.random((videos, 5)) < 0.6, events[:, None], n)
    relevance = np.clip(0.3 * (segments != n) + 0.7 * rng.random((videos, 5)), 0, 1)
    if levels is not None:
        relevance = np.round(relevance * levels) / levels
    category = np.where(rng.random(videos) < 0.8, events, rng.integers(0, n, videos))
    found = PredictionArrays(
        segments=np.zeros_like(segments),
        category=category,
        category_scores=np.eye(n, dtype=np.float32)[category],
        relevance=relevance.astype(np.float32),
    )
    return found, Truth(segments=segments, events=events, categories=tuple("abcdefgh"[:n]))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("levels", [None, 4])
def test_no_threshold_is_better_than_the_chosen_one(seed, levels):
    found, truth = drawn(seed, levels=levels)

    def accuracy(threshold: float) -> float:
        right = 0
        for v, row in enumerate(found.relevance):
            for t, r in enumerate(row):
                answer = found.category[v] if r > threshold else truth.n
                right += int(answer == truth.segments[v, t])
        return right / truth.segments.size

    chosen = best_threshold(found, truth)
    assert segment_accuracy(decided_at(found, chosen).segments, truth) == pytest.approx(accuracy(chosen))
    assert accuracy(chosen) == max(accuracy(float(x)) for x in [-1e-9, *found.relevance.ravel(), 0.0, 1.0])


def test_the_threshold_lies_in_the_middle_of_its_widest_gap():
    found, truth = drawn(0, videos=1)
    found = replace(found, relevance=np.array([[0.1, 0.2, 0.8, 0.85, 0.9]], np.float32), category=truth.events)
    truth = replace(truth, segments=np.where(found.relevance > 0.5, truth.events[:, None], truth.n))
    assert best_threshold(found, truth) == pytest.approx(0.5)


def test_event_everywhere_and_nowhere_have_the_ends():
    found, truth = drawn(0)
    found = replace(found, category=truth.events)
    everywhere = replace(truth, segments=np.repeat(truth.events[:, None], 5, axis=1))
    nowhere = replace(truth, segments=np.full_like(truth.segments, truth.n))
    assert best_threshold(found, everywhere) == 0.0
    assert best_threshold(found, nowhere) == 1.0


@pytest.mark.parametrize("slope", [0.5, 3.0, 20.0])
def test_the_scale_that_drew_the_labels_is_found_again(slope):
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, 40_000)
    event = rng.random(x.shape) < 1 / (1 + np.exp(-slope * x))
    assert fit_scale(x, event) == pytest.approx(slope, rel=0.1)


def test_the_scale_has_the_least_cross_entropy():
    rng = np.random.default_rng(1)
    x = rng.normal(size=60)
    event = x + rng.normal(size=60) > 0
    ones = int(event.sum())
    target = np.where(event, (ones + 1) / (ones + 2), 1 / (60 - ones + 2))

    def loss(scale: float) -> float:
        r = 1 / (1 + np.exp(-scale * x))
        return float(-(target * np.log(r) + (1 - target) * np.log(1 - r)).sum())

    best = fit_scale(x, event)
    assert all(loss(best) <= loss(best * factor) for factor in (0.5, 0.9, 0.99, 1.01, 1.1, 2.0))


def test_the_scale_stays_finite_and_positive():
    x = np.array([-1.0, -0.5, 0.5, 1.0])
    assert 1 < fit_scale(x, x > 0) < 100
    assert fit_scale(x, x < 0) == pytest.approx(1e-2)
    assert math.isfinite(fit_scale(1e9 * x, x > 0))


def test_a_fitted_scale_lowers_the_calibration_error_of_distances():
    rng = np.random.default_rng(2)
    x = rng.uniform(-0.6, 0.7, (400, 10))
    event = rng.random(x.shape) < 1 / (1 + np.exp(-15 * x))

    def error(scale: float) -> float:
        return float(calibration_error((1 / (1 + np.exp(-scale * x))).astype(np.float32), event).expected_error)

    assert error(fit_scale(x, event)) < 0.03
    assert error(1.0) > 0.25
