from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from avelzoo.metrics import (
    Scores,
    best_threshold,
    calibration_error,
    category_accuracy,
    event_scores,
    floor_accuracies,
    foreground_background,
    localization_scores,
    macro_scores,
    partial_event,
    per_category,
    reference_accuracies,
    score,
    segment_accuracy,
)
from tests.metrics import naive
from tests.metrics.cases import Case, cases

drawn = settings(deadline=None, max_examples=60, derandomize=True)


@drawn
@given(cases())
def test_shares_of_right_answers(case: Case) -> None:
    predictions, truth = case
    assert segment_accuracy(predictions.segments, truth) == pytest.approx(
        naive.segment_accuracy(predictions.segments, truth)
    )
    named = [c == e for c, e in zip(predictions.category, truth.events, strict=True) if e != truth.n]
    assert category_accuracy(predictions, truth) == pytest.approx(naive.share(named))
    assert foreground_background(predictions, truth).to_dict() == pytest.approx(
        naive.foreground_background(predictions, truth)
    )


@drawn
@given(cases())
def test_partial_events(case: Case) -> None:
    predictions, truth = case
    videos = [v for v, row in enumerate(truth.segments) if 0 < sum(y != truth.n for y in row) < truth.lengths[v]]
    assert partial_event(predictions, truth).to_dict() == pytest.approx(
        {"segment_accuracy": naive.segment_accuracy(predictions.segments, truth, videos), "videos": len(videos)}
    )


@drawn
@given(cases())
def test_floors_and_references_are_accuracies_of_constant_predictors(case: Case) -> None:
    predictions, truth = case
    length = truth.segments.shape[1]
    predictors = {
        "background": [[truth.n] * length for _ in truth.events],
        "category_oracle_all_event": [[int(e)] * length for e in truth.events],
        "own_category_all_event": [[int(c)] * length for c in predictions.category],
    }
    expected = {name: naive.segment_accuracy(predictor, truth) for name, predictor in predictors.items()}
    assert floor_accuracies(predictions, truth).to_dict() == pytest.approx(expected)
    assert reference_accuracies(predictors, truth) == pytest.approx(expected)


@drawn
@given(cases())
def test_localization(case: Case) -> None:
    assert localization_scores(*case).to_dict() == pytest.approx(naive.localization(*case))


@drawn
@given(cases())
def test_events_match_a_largest_one_to_one_matching(case: Case) -> None:
    predictions, truth = case
    found = event_scores(predictions.segments, truth)
    assert found.to_dict() | {"f1": found.f1} == pytest.approx(naive.event_scores(predictions.segments, truth))


@drawn
@given(cases())
def test_categories(case: Case) -> None:
    predictions, truth = case
    rows = per_category(predictions, truth)
    oracle = np.broadcast_to(truth.events[:, None], truth.segments.shape)
    for c, row in enumerate(rows):
        videos = [v for v, event in enumerate(truth.events) if event == c]
        assert row.to_dict() == pytest.approx(
            {
                "category": truth.categories[c],
                "videos": len(videos),
                "segment_accuracy": naive.segment_accuracy(predictions.segments, truth, videos),
                "all_event": naive.segment_accuracy(oracle, truth, videos),
                "category_recall": naive.share([predictions.category[v] == c for v in videos]),
            }
        )
    present = [row for row in rows if row.videos]
    assert macro_scores(rows).to_dict() == pytest.approx(
        {
            "segment_accuracy": naive.average([row.segment_accuracy for row in present]),
            "category_recall": naive.average([row.category_recall for row in present]),
            "categories": len(present),
        }
    )


@drawn
@given(cases())
def test_calibration(case: Case) -> None:
    predictions, truth = case
    for bins in (1, 4, 15):
        found = calibration_error(predictions.relevance, truth.relevance, bins=bins)
        expected = naive.calibration_error(predictions.relevance.ravel(), truth.relevance.ravel(), bins)
        real = score(predictions, truth, bootstrap=0).calibration.bins
        assert sum(row.segments for row in real) == truth.lengths.sum()
        assert found.expected_error == pytest.approx(expected)
        assert sum(row.segments for row in found.bins) == predictions.relevance.size


@drawn
@given(cases())
def test_what_stands_in_the_padding_changes_nothing(case: Case) -> None:
    predictions, truth = case
    rng = np.random.default_rng(0)
    other = replace(
        predictions,
        segments=np.where(truth.real, predictions.segments, rng.integers(0, truth.n + 1, size=truth.segments.shape)),
        relevance=np.where(truth.real, predictions.relevance, rng.random(truth.segments.shape)).astype(np.float32),
    )
    assert score(other, truth, bootstrap=50) == score(predictions, truth, bootstrap=50)
    assert best_threshold(other, truth) == best_threshold(predictions, truth)
    wide = np.pad(truth.segments, ((0, 0), (0, 3)), constant_values=truth.n)
    longer = replace(
        predictions,
        segments=np.pad(predictions.segments, ((0, 0), (0, 3))),
        relevance=np.pad(predictions.relevance, ((0, 0), (0, 3)), constant_values=1.0),
    )
    assert score(longer, replace(truth, segments=wide), bootstrap=50) == score(predictions, truth, bootstrap=50)


@drawn
@given(cases())
def test_a_whole_score_is_json_and_agrees_with_itself(case: Case) -> None:
    predictions, truth = case
    found = score(predictions, truth, references={"truth": truth.segments, "own": predictions.segments}, bootstrap=50)
    plain = found.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert Scores.from_dict(plain) == found
    assert found.references == {"truth": 1.0, "own": found.segment_accuracy}
    assert found.segments == truth.lengths.sum()
    low, high = found.segment_accuracy_interval
    assert 0 <= low <= high <= 1
