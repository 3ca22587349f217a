"""Sums of counts give every score, and groups of videos are those of loops."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

import numpy as np
import pytest
from hypothesis import given, settings

from avelzoo.metrics import MEASURES, VIDEO_COUNTS, PredictionArrays, Truth, score, score_names, video_counts
from avelzoo.statistics import video_interval
from tests.metrics.cases import Case, cases, random_case

IN_SCORES = [measure for measure in MEASURES.values() if measure.score]
# Means of fractions: their sum is taken in another order.
ROUNDED = {"segment_iou", "segment_iou_all_event", "boundary_error"}


@settings(deadline=None, max_examples=150, derandomize=True)
@given(cases())
def test_sums_of_counts_give_the_scores(case: Case) -> None:
    predictions, truth = case
    scores = score(predictions, truth, bootstrap=0)
    sums = video_counts(predictions.segments, truth, predictions.category).sum(axis=0)
    assert sums.shape == (len(VIDEO_COUNTS),)
    for measure in IN_SCORES:
        wanted, found = attrgetter(measure.score)(scores), float(measure.statistic(sums))
        tolerance = 1e-12 if measure.name in ROUNDED else 0
        assert found == pytest.approx(np.nan if wanted is None else wanted, nan_ok=True, rel=tolerance, abs=0), measure


def test_measures_are_named_as_in_scores() -> None:
    known = score_names()
    assert [measure.score for measure in IN_SCORES if measure.score not in known] == []
    assert [name for name, measure in MEASURES.items() if name != measure.name or not measure.title] == []


@settings(deadline=None, max_examples=40, derandomize=True)
@given(cases())
def test_counts_of_part_of_the_videos_are_rows(case: Case) -> None:
    predictions, truth = case
    counts = video_counts(predictions.segments, truth, predictions.category)
    part = slice(0, len(counts), 2)
    chosen = Truth(
        segments=truth.segments[part], events=truth.events[part], categories=truth.categories,
        seconds_per_segment=truth.seconds_per_segment, lengths=truth.lengths[part],
    )  # fmt: skip
    assert (video_counts(predictions.segments[part], chosen, predictions.category[part]) == counts[part]).all()


def test_without_categories_their_scores_are_undefined() -> None:
    predictions, truth = random_case(3, videos=20, length=6, n=3)
    with_them = video_counts(predictions.segments, truth, predictions.category).sum(axis=0)
    without = video_counts(predictions.segments, truth).sum(axis=0)
    for measure in MEASURES.values():
        if measure.needs_category:
            assert np.isnan(measure.statistic(without)), measure.name
            assert not np.isnan(measure.statistic(with_them)), measure.name
        else:
            assert measure.statistic(without) == measure.statistic(with_them), measure.name


def test_gain_over_the_own_category_is_what_localization_adds() -> None:
    predictions, truth = random_case(4, videos=20, length=6, n=3)
    scores = score(predictions, truth, bootstrap=0)
    sums = video_counts(predictions.segments, truth, predictions.category).sum(axis=0)
    gain = scores.segment_accuracy - scores.floors.own_category_all_event
    assert MEASURES["gain_over_own_category"].statistic(sums) == pytest.approx(gain, abs=1e-12)


def test_the_interval_of_a_score_needs_its_counts_alone() -> None:
    predictions, truth = random_case(5, videos=60, length=8, n=3)
    counts = video_counts(predictions.segments, truth, predictions.category)
    scores = score(predictions, truth, bootstrap=4000)
    found = video_interval(counts, MEASURES["segment_accuracy"].statistic)
    assert (found.low, found.high) == pytest.approx(scores.segment_accuracy_interval, abs=0.015)
    drawn = np.random.default_rng(0).integers(0, 60, size=(300, 60))
    loops = [score(*chosen(predictions, truth, rows), bootstrap=0).event_f1_iou50 for rows in drawn]
    f1 = video_interval(counts, MEASURES["event_f1_iou50"].statistic)
    assert (f1.low, f1.high) == pytest.approx(np.quantile(loops, [0.025, 0.975]), abs=0.03)


def chosen(predictions: PredictionArrays, truth: Truth, rows: np.ndarray) -> Case:
    fields = ("segments", "category", "category_scores", "relevance", "lengths")
    return (
        replace(predictions, **{name: getattr(predictions, name)[rows] for name in fields}),
        replace(truth, segments=truth.segments[rows], events=truth.events[rows], lengths=truth.lengths[rows]),
    )
