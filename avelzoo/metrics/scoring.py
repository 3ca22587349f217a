"""All scores of a split at once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from numpy.typing import ArrayLike

from avelzoo.errors import DataError
from avelzoo.metrics.accuracy import (
    absent_event,
    category_accuracy,
    correct_segments,
    foreground_background,
    partial_event,
    segment_accuracy,
)
from avelzoo.metrics.bootstrap import bootstrap_interval
from avelzoo.metrics.calibration import calibration_error
from avelzoo.metrics.categories import macro_scores, per_category
from avelzoo.metrics.events import event_scores
from avelzoo.metrics.floors import floor_accuracies, reference_accuracies
from avelzoo.metrics.localization import localization_scores
from avelzoo.metrics.predictions import PredictionArrays, Truth
from avelzoo.metrics.ranking import ranking_scores
from avelzoo.metrics.scores import Scores

INTERVAL = "video-bootstrap-1k"
"""Method of `Scores.segment_accuracy_interval` with the default number of resamples, for signatures."""
_NONE: Mapping[str, ArrayLike] = MappingProxyType({})


def score(
    predictions: PredictionArrays,
    truth: Truth,
    *,
    references: Mapping[str, ArrayLike] = _NONE,
    bootstrap: int = 1000,
    seed: int = 0,
) -> Scores:
    """Every score of a split's predictions.

    Args:
        predictions: what was answered for v videos.
        truth: what is true of the same videos, in the same order.
        references: (v t) ids of known reference predictors, by name.
        bootstrap: resamples behind the interval; 0 leaves it out.
        seed: of the bootstrap.

    Raises:
        DataError: predictions and truth of different sizes, or an unfit reference.
        OptionError: a negative number of resamples.
    """
    if predictions.segments.shape != truth.segments.shape or predictions.n != truth.n:
        raise DataError(
            "PredictionArrays and truth do not belong together.",
            where="score",
            found=_sizes(predictions.segments.shape, predictions.n),
            expected=_sizes(truth.segments.shape, truth.n),
            fix="score predictions against the split that they were given for",
        )
    events = event_scores(predictions.segments, truth)
    rows = per_category(predictions, truth)
    return Scores(
        segment_accuracy=segment_accuracy(predictions.segments, truth),
        segment_accuracy_interval=_interval(predictions, truth, bootstrap, seed) if bootstrap else None,
        category_accuracy=category_accuracy(predictions, truth),
        floors=floor_accuracies(predictions, truth),
        references=reference_accuracies(references, truth),
        foreground_background=foreground_background(predictions, truth),
        localization=localization_scores(predictions, truth),
        partial_event=partial_event(predictions, truth),
        event_f1_iou50=events.f1,
        events_iou50=events,
        macro=macro_scores(rows),
        calibration=calibration_error(predictions.relevance[truth.real], truth.relevance[truth.real]),
        per_category=rows,
        videos=len(truth.events),
        segments=int(truth.lengths.sum()),
        absent_event=absent_event(predictions.segments, truth),
        ranking=ranking_scores(predictions, truth),
    )


def _interval(predictions: PredictionArrays, truth: Truth, resamples: int, seed: int) -> tuple[float, float]:
    # Whole numbers of right segments keep the resampled sums exact; the division comes last.
    right, lengths = correct_segments(predictions.segments, truth), truth.lengths
    if (lengths != lengths[0]).any():
        return bootstrap_interval(right, per=lengths, resamples=resamples, seed=seed)
    low, high = bootstrap_interval(right, resamples=resamples, seed=seed)
    return low / int(lengths[0]), high / int(lengths[0])


def _sizes(shape: tuple[int, ...], n: int) -> str:
    return f"{shape[0]} videos of {shape[1]} segments, {n} categories"
