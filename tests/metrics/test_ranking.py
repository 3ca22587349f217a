"""Threshold-free scores and the absent-event rate against loops."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from avelzoo.metrics import (
    Scores,
    absent_event,
    auroc,
    average_precision,
    best_threshold,
    decided_at,
    event_curve,
    event_scores,
    ranking_scores,
    score,
    segment_accuracy,
)
from tests.metrics import naive
from tests.metrics.cases import Case, cases, predictions, random_case, truth


def pairs_won(scores: list[float], positive: list[bool]) -> float | None:
    wins = [
        (a > b) + 0.5 * (a == b)
        for a, p in zip(scores, positive, strict=True)
        for b, q in zip(scores, positive, strict=True)
        if p and not q
    ]
    return naive.average(wins)


def precision_steps(scores: list[float], positive: list[bool]) -> float | None:
    total, recall, area = sum(positive), 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        claimed = [p for s, p in zip(scores, positive, strict=True) if s >= threshold]
        step = sum(claimed) / total - recall if total else 0
        area, recall = area + step * sum(claimed) / len(claimed), recall + step
    return area if total else None


@settings(deadline=None, max_examples=60, derandomize=True)
@given(cases())
def test_they_are_those_of_loops_over_real_segments(case: Case) -> None:
    given_predictions, labels = case
    where = [(v, t) for v in range(len(labels.events)) for t in range(labels.lengths[v])]
    scores = [float(given_predictions.relevance[place]) for place in where]
    event = [bool(labels.segments[place] != labels.n) for place in where]
    found = ranking_scores(given_predictions, labels)
    assert found.auroc == pytest.approx(pairs_won(scores, event))
    assert found.average_precision == pytest.approx(precision_steps(scores, event))
    best = max(segment_accuracy(decided_at(given_predictions, x).segments, labels) for x in (0, *scores, 1))
    assert found.best_accuracy == pytest.approx(best)
    assert found.best_accuracy == segment_accuracy(
        decided_at(given_predictions, best_threshold(given_predictions, labels)).segments, labels
    )


@settings(deadline=None, max_examples=60, derandomize=True)
@given(cases())
def test_the_curve_of_event_f1_is_that_of_a_loop_over_thresholds(case: Case) -> None:
    given_predictions, labels = case
    edges = sorted({0.0, 1.0, *map(float, given_predictions.relevance[labels.real])})
    f1 = [event_scores(decided_at(given_predictions, x).segments, labels).f1 for x in edges]
    found = ranking_scores(given_predictions, labels)
    if not labels.relevance.any():
        assert (found.event_f1_mean, found.event_f1_best, event_curve(*case)) == (None, None, None)
        return
    area = sum((right - left) * y for left, right, y in zip(edges, edges[1:], f1, strict=False))
    assert found.event_f1_mean == pytest.approx(area)
    assert found.event_f1_best == pytest.approx(max(f1))


def test_the_curve_is_the_same_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(3, videos=11, length=6, n=3)
    whole = event_curve(*case)
    monkeypatch.setattr("avelzoo.metrics.curves.CELLS", 100)
    parts = event_curve(*case)
    assert len(whole.edges) == len(whole.f1) + 1
    np.testing.assert_array_equal(whole.f1, parts.f1)
    np.testing.assert_array_equal(whole.edges, parts.edges)


def test_known_rankings() -> None:
    positive = np.array([True, True, False, False])
    assert auroc(np.array([0.9, 0.8, 0.2, 0.1]), positive) == average_precision(np.array([4, 3, 2, 1]), positive) == 1
    assert auroc(np.full(4, 0.3), positive) == average_precision(np.full(4, 0.3), positive) == 0.5
    assert auroc(np.array([0.1, 0.2, 0.8, 0.9]), positive) == 0
    assert auroc(np.ones(2), np.array([True, True])) is None
    assert average_precision(np.ones(2), np.array([False, False])) is None


def test_absent_events_are_claimed_or_not() -> None:
    labels = truth([[2, 2], [2, 2], [0, 2], [2, 2]], [0, 2, 0, 1], n=2)
    found = absent_event(np.array([[2, 2], [1, 2], [2, 2], [2, 0]]), labels)
    assert (found.rate, found.videos) == (pytest.approx(2 / 3), 3)
    full = truth([[0, 0]], [0], n=1)
    assert absent_event(np.array([[1, 1]]), full).to_dict() == {"rate": None, "videos": 0}
    padded = replace(truth([[0, 1], [1, 1]], [0, 0], n=1), lengths=np.array([2, 1]))
    assert absent_event(np.array([[0, 0], [1, 0]]), padded).rate == 0, "nobody looks at the padding"


def test_results_of_older_versions_have_none_of_them() -> None:
    found = score(*random_case(1, videos=9, length=5, n=2), bootstrap=0)
    old = {name: value for name, value in found.to_dict().items() if name not in ("absent_event", "ranking")}
    loaded = Scores.from_dict(json.loads(json.dumps(old)))
    assert (loaded.absent_event, loaded.ranking) == (None, None)
    assert replace(found, absent_event=None, ranking=None) == loaded
    assert loaded.to_dict() == old
    older = {**found.to_dict()["ranking"]}
    del older["event_f1_mean"], older["event_f1_best"]
    assert type(found.ranking).from_dict(older).event_f1_mean is None
    perfect = score(predictions([[0, 1]], [0], n=1), truth([[0, 1]], [0], n=1), bootstrap=0)
    assert set(perfect.ranking.to_dict().values()) == {1}
