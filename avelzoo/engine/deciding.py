"""Values chosen on val: the event/background threshold of a head, scored at both thresholds, and those of a decoder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avelzoo.composition import returned
from avelzoo.composition.checking import require_single_runs
from avelzoo.composition.model import Model
from avelzoo.composition.recipe import Recipe
from avelzoo.contracts import Dataset
from avelzoo.metrics import (
    PredictionArrays,
    Thresholds,
    ThresholdScores,
    Truth,
    best_threshold,
    decided_at,
    event_scores,
    fit_scale,
    foreground_background,
    segment_accuracy,
    several_runs,
)
from avelzoo.nn.decision import Decision
from avelzoo.plugin.registry import Registry

RULES = ("fixed", "val")
"""The head's own threshold, and the one chosen on val."""


def fit(model: Model, val: PredictionArrays, truth: Truth) -> PredictionArrays:
    """Fit a model's head, then its decoder on val; returns the final predictions on val.

    Args:
        model: the model; values chosen on val are set in place.
        val: predictions of the head on val.
        truth: labels of val.
    """
    found = tune(model.head.decision, val, truth)
    if model.decoder is not None:
        model.decoder.fit(found, truth)
    return decided(model, found)


def require_fitting_data(recipe: Recipe, dataset: Dataset, split: str, registry: Registry | None = None) -> None:
    """Refuse a decoder of single runs if a split's labels have events in several runs.

    Raises:
        CompositionError: the decoder does not fit the data.
    """
    if recipe.decoder.single_runs:
        several = several_runs(dataset.split(split).labels(), dataset.spec.background)
        require_single_runs(recipe, registry, several=several)


def decided(model: Model, found: PredictionArrays) -> PredictionArrays:
    """Predictions of a model by its decoder, from those of its head.

    Raises:
        PluginError: the decoder returns something else than predictions.
    """
    if model.decoder is None:
        return found
    return returned.record(model.decoder, "decide", model.decoder.decide(found), PredictionArrays)


def tune(decision: Decision | None, val: PredictionArrays, truth: Truth) -> PredictionArrays:
    """Fit a head's decision on val; returns the val predictions under the fitted decision.

    The scale is fitted first, because the threshold applies to the scaled relevance. Neither changes a decision of the
    fixed rule.

    Args:
        decision: the head's decision, changed in place; None for heads without one, whose predictions are unchanged.
        val: predictions on val, under the scale before fitting.
        truth: labels of val.
    """
    if decision is None:
        return val
    if decision.distances:
        known = val.relevance.astype(np.float64).clip(1e-12, 1 - 1e-7)
        score = np.log(known / (1 - known)) / float(decision.scale)
        decision.scale.fill_(fit_scale(score[truth.real], truth.relevance[truth.real]))
        relevance = 0.5 + 0.5 * np.tanh(0.5 * float(decision.scale) * score)
        val = replace(val, relevance=relevance.astype(np.float32))
    decision.tuned.fill_(best_threshold(val, truth))
    return decided_at(val, float(decision.tuned)) if decision.use_tuned else val


def at_both(decision: Decision, found: PredictionArrays, truth: Truth) -> Thresholds:
    """Short scores at the fixed threshold and at the threshold chosen on val, and the name of the one in use."""
    used = RULES[decision.use_tuned]
    scores: dict[str, ThresholdScores] = {}
    for name, threshold in zip(RULES, (decision.threshold, float(decision.tuned)), strict=True):
        got = found if name == used else decided_at(found, threshold)
        distance = decision.distance_at(threshold) if decision.distances else float("inf")
        scores[name] = ThresholdScores(
            relevance=threshold,
            distance=distance if np.isfinite(distance) else None,
            segment_accuracy=segment_accuracy(got.segments, truth),
            balanced_accuracy=foreground_background(got, truth).balanced_accuracy,
            event_f1_iou50=event_scores(got.segments, truth).f1,
        )
    return Thresholds(decides=used, **scores)
