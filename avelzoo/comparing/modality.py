"""Which modality leads a category: linear models of one modality each, compared on held-out training videos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avelzoo.errors import OptionError
from avelzoo.metrics import Truth
from avelzoo.metrics.arrays import BoolArray, IntArray
from avelzoo.statistics import Counts, Interval, difference_interval

Features = NDArray[np.floating[Any]]
RIDGE = 1.0
"""Regularization, as a share of the mean of the kernel's eigenvalues.

Fixed: chosen among four values on worlds, not tuned on any other data.
"""
SECURE = 3
"""A category needs this many videos, and this many with background, to be led by a modality."""


@dataclass(frozen=True, kw_only=True)
class CategoryModality:
    """One category.

    Attributes:
        led: ``audio-led``, ``visual-led`` or ``balanced``.
        videos: its training videos.
        partial: those with event and background segments both.
        audio, visual: balanced accuracy of the two models on held-out videos; None if undefined.
        difference: audio minus visual, with its interval over videos; ends are None if it is undefined.
    """

    led: str
    videos: int
    partial: int
    audio: float | None
    visual: float | None
    difference: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Modality:
    """Categories by the modality that leads them.

    Attributes:
        categories: category -> its models' scores and what they decide.
        margin: smallest difference of a led category.
        folds: number of parts of the training videos.
        videos: number of training videos.
        rule: the rule in words.
    """

    categories: Mapping[str, CategoryModality]
    margin: float
    folds: int
    videos: int
    rule: str

    @property
    def led(self) -> dict[str, str]:
        """Category -> ``audio-led``, ``visual-led`` or ``balanced``."""
        return {name: found.led for name, found in self.categories.items()}

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"led": self.led} | asdict(self)


def modality(
    audio: Features,
    visual: Features,
    truth: Truth,
    *,
    margin: float = 0.1,
    folds: int = 5,
    level: float = 0.95,
    resamples: int = 2000,
) -> Modality:
    """Decide on training videos which modality leads each category.

    For each category and each modality, a linear model tells event segments from background segments in the videos of
    this category: ridge regression with both classes of equal weight, from the segment's features and their mean over
    the video. Each video is predicted by a model of the other folds. The score is the mean of the recalls of event and
    of background segments; 0.5 is chance. A category is audio-led if the score of audio is higher by at least
    ``margin`` and the interval of the difference over videos lies above 0; visual-led if the same holds of visual;
    otherwise balanced, which includes categories with too few videos to tell. Deterministic.

    Args:
        audio: (v t a) features of v training videos.
        visual: (v t d) features, pooled over the grid.
        truth: labels of the videos.
        margin: smallest difference of a led category, in (0, 1).
        folds: number of parts, 2 or more; video i belongs to fold i mod k within its category.
        level: coverage of the intervals.
        resamples: number of bootstrap samples.

    Raises:
        OptionError: a number out of range, or fewer videos than folds.
    """
    if not 2 <= folds <= len(truth.events):
        raise OptionError(
            "the number of folds is out of range",
            where="folds",
            found=str(folds),
            expected=f"2 to {len(truth.events)}, the number of training videos",
        )
    if not 0 < margin < 1:
        raise OptionError("the margin is out of range", where="margin", found=f"{margin:g}", expected="0 < margin < 1")
    fold = _folds(truth, folds)
    counts = [_recall_counts(_crossed(features, truth, fold, folds), truth) for features in (audio, visual)]
    partial = truth.relevance.any(axis=1) & (truth.real & ~truth.relevance).any(axis=1)
    found = {}
    for c, name in enumerate(truth.categories):
        inside = truth.events == c
        pair = [one[inside] for one in counts]
        enough = inside.sum() >= SECURE and (partial & inside).sum() >= SECURE
        values = [_value(one) for one in pair]
        if None in values:
            difference = Interval(np.nan, np.nan, np.nan, level, "none")
        else:
            difference = difference_interval(pair[0], pair[1], _balanced, level=level, resamples=resamples)
        found[name] = CategoryModality(
            led=_led(difference, margin) if enough else "balanced",
            videos=int(inside.sum()),
            partial=int((partial & inside).sum()),
            audio=values[0],
            visual=values[1],
            difference=difference.to_dict(),
        )
    rule = (
        f"led by a modality if it tells events from background better on held-out training videos, by at least"
        f" {100 * margin:g} points of balanced accuracy and with a {100 * level:g} % interval without 0; else balanced"
    )
    return Modality(categories=found, margin=margin, folds=folds, videos=len(truth.events), rule=rule)


def _led(difference: Interval, margin: float) -> str:
    if difference.value >= margin and difference.low > 0:
        return "audio-led"
    return "visual-led" if difference.value <= -margin and difference.high < 0 else "balanced"


def _folds(truth: Truth, folds: int) -> IntArray:
    """Fold of each video, (v): those of a category in turn."""
    fold = np.zeros(len(truth.events), dtype=np.int64)
    for c in range(truth.n + 1):
        places = np.flatnonzero(truth.events == c)
        fold[places] = np.arange(len(places)) % folds
    return fold


def _crossed(features: Features, truth: Truth, fold: IntArray, folds: int) -> BoolArray:
    """Predicted events (v t); each video by a model of its category's videos in the other folds."""
    real, event = truth.real, truth.relevance
    found = real.copy()
    for c in range(truth.n):
        for k in range(folds):
            train, held = np.flatnonzero((truth.events == c) & (fold != k)), (truth.events == c) & (fold == k)
            held = np.flatnonzero(held)
            y = event[train][real[train]]
            if len(held) and y.any() and not y.all():
                x, asked = (_with_mean(features[rows], real[rows]) for rows in (train, held))
                answers = np.zeros(real[held].shape, dtype=bool)
                answers[real[held]] = _fitted(x, y, asked)
                found[held] = answers
    return found


def _with_mean(features: Features, real: BoolArray) -> Features:
    """Segments (m 2 d): each with the mean over its video beside it."""
    features = np.where(real[..., None], features, 0).astype(np.float64)
    mean = features.sum(axis=1, keepdims=True) / real.sum(axis=1)[:, None, None]
    return np.concatenate([features, np.broadcast_to(mean, features.shape)], axis=-1)[real]


def _fitted(x: Features, y: BoolArray, asked: Features) -> BoolArray:
    """Events of ``asked`` (m d) by ridge regression on +-1, both classes with the same total weight."""
    weights = 0.5 / np.where(y, y.sum(), (~y).sum())
    centre = weights @ x
    scale = np.sqrt(weights @ (x - centre) ** 2)
    scale[scale == 0] = 1
    x, asked = (x - centre) / scale, (asked - centre) / scale
    target, root = np.where(y, 1.0, -1.0), np.sqrt(weights)[:, None]
    # The dual form: as many unknowns as segments of a category, not as channels.
    kernel = (root * x) @ (root * x).T
    ridge = RIDGE * np.trace(kernel) / len(kernel)
    slope = (root * x).T @ np.linalg.solve(kernel + ridge * np.eye(len(kernel)), root[:, 0] * target)
    chosen: BoolArray = asked @ slope > 0
    return chosen


def _recall_counts(found: BoolArray, truth: Truth) -> Counts:
    """Right and all event segments, right and all background segments of each video, (v 4)."""
    event, background = truth.relevance, truth.real & ~truth.relevance
    columns = (found & event, event, ~found & background, background)
    return np.stack([one.sum(axis=1) for one in columns], axis=1).astype(np.float64)


def _balanced(sums: Counts) -> Counts:
    """Mean of both recalls, NaN where one is undefined."""
    with np.errstate(invalid="ignore"):
        return (sums[..., 0] / sums[..., 1] + sums[..., 2] / sums[..., 3]) / 2


def _value(counts: Counts) -> float | None:
    value = float(_balanced(counts.sum(axis=0)))
    return None if np.isnan(value) else value
