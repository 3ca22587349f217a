from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avelzoo.errors import DataError
from avelzoo.metrics import (
    Truth,
    calibration_error,
    category_accuracy,
    event_scores,
    foreground_background,
    localization_scores,
    partial_event,
    per_category,
    score,
    segment_accuracy,
)
from tests.metrics.cases import Case, predictions, truth


@pytest.fixture
def case() -> Case:
    """Three videos of four half-second segments and three categories, one of which never occurs; background is 3.

    The first is found one segment late, the second is all event and named wrong, the third is missed.
    """
    true = truth([[0, 0, 3, 3], [1, 1, 1, 1], [3, 3, 3, 0]], [0, 1, 0], n=3, seconds=0.5)
    found = predictions([[3, 0, 0, 3], [0, 0, 0, 0], [3, 3, 3, 3]], [0, 0, 0], n=3)
    return found, true


def test_a_case_by_hand(case: Case) -> None:
    found = score(*case, bootstrap=20)
    assert found.segment_accuracy == pytest.approx(5 / 12)
    assert found.category_accuracy == pytest.approx(2 / 3)
    assert found.floors.to_dict() == pytest.approx(
        {"background": 5 / 12, "category_oracle_all_event": 7 / 12, "own_category_all_event": 3 / 12}
    )
    assert found.foreground_background.to_dict() == pytest.approx(
        {"balanced_accuracy": (5 / 7 + 4 / 5) / 2, "foreground_recall": 5 / 7, "background_recall": 4 / 5}
    )
    assert found.localization.to_dict() == pytest.approx(
        {
            "segment_iou": (1 / 3 + 0) / 2,
            "segment_iou_all_event": (2 / 4 + 1 / 4) / 2,
            "start_error_seconds": 0.5,
            "end_error_seconds": 0.5,
            "boundary_error_seconds": 0.5,
            "videos": 2,
            "runs": 2,
            "missed": 1,
        }
    )
    assert found.partial_event.to_dict() == pytest.approx({"segment_accuracy": 5 / 8, "videos": 2})
    assert found.event_f1_iou50 == 0
    assert found.macro.to_dict() == pytest.approx(
        {"segment_accuracy": 5 / 16, "category_recall": 1 / 2, "categories": 2}
    )
    assert found.per_category[2].to_dict() == {
        "category": "event 2",
        "videos": 0,
        "segment_accuracy": None,
        "all_event": None,
        "category_recall": None,
    }
    assert (found.videos, found.segments) == (3, 12)


def test_perfect_answers_score_one(case: Case) -> None:
    true = case[1]
    perfect = score(predictions(true.segments.tolist(), true.events.tolist(), n=3), true, bootstrap=20)
    assert perfect.segment_accuracy == perfect.category_accuracy == perfect.event_f1_iou50 == 1
    assert perfect.segment_accuracy_interval == (1, 1)
    assert perfect.foreground_background.balanced_accuracy == 1
    assert perfect.localization.segment_iou == 1
    assert perfect.localization.boundary_error_seconds == perfect.localization.missed == 0
    assert perfect.calibration.expected_error == 0


def test_an_event_of_half_its_length_still_matches_and_less_does_not() -> None:
    true = truth([[0, 0, 0, 0, 1, 1]], [0], n=2)
    assert event_scores(np.array([[0, 0, 1, 1, 1, 1]]), true).matched_events == 2
    assert event_scores(np.array([[0, 1, 1, 1, 1, 1]]), true).matched_events == 0


def test_a_run_across_a_gap_matches_one_event_at_most() -> None:
    true = truth([[0, 0, 1, 0, 0], [0, 0, 1, 0, 0]], [0, 0], n=1)
    found = event_scores(np.array([[0, 0, 0, 0, 0], [0, 0, 1, 0, 0]]), true)
    assert (found.predicted_events, found.true_events, found.matched_events) == (3, 4, 2)
    assert found.f1 == pytest.approx(4 / 7)


def test_events_of_two_videos_never_match() -> None:
    true = truth([[1, 0], [1, 1]], [0, 1], n=1)
    assert event_scores(np.array([[1, 1], [0, 1]]), true).matched_events == 0


def test_broken_predictions_keep_their_outer_boundaries() -> None:
    true = truth([[2, 0, 0, 0, 0, 2]], [0], n=2)
    found = localization_scores(predictions([[2, 0, 2, 1, 0, 0]], [0], n=2), true)
    assert found.segment_iou == pytest.approx(2 / 5)
    assert (found.start_error_seconds, found.end_error_seconds) == (0, 1)


def test_a_single_segment() -> None:
    true = truth([[0]], [0], n=1)
    found = score(predictions([[0]], [0], n=1), true, bootstrap=5)
    assert found.segment_accuracy_interval == (1, 1)
    assert found.localization.segment_iou == 1
    assert found.partial_event.to_dict() == {"segment_accuracy": None, "videos": 0}
    assert found.foreground_background.to_dict() == {
        "balanced_accuracy": None,
        "foreground_recall": 1,
        "background_recall": None,
    }


def test_a_split_of_background_alone() -> None:
    true = truth([[1, 1], [1, 1]], [1, 1], n=1)
    silent = predictions([[1, 1], [1, 1]], [0, 0], n=1)
    found = score(silent, true)
    assert found.segment_accuracy == found.floors.background == 1
    assert found.floors.category_oracle_all_event == 1
    assert found.floors.own_category_all_event == 0
    assert found.category_accuracy is None
    assert found.event_f1_iou50 is None
    assert found.events_iou50.precision is None
    assert found.macro.to_dict() == {"segment_accuracy": None, "category_recall": None, "categories": 0}
    assert found.localization.to_dict() == {
        "segment_iou": None,
        "segment_iou_all_event": None,
        "start_error_seconds": None,
        "end_error_seconds": None,
        "boundary_error_seconds": None,
        "videos": 0,
        "runs": 0,
        "missed": 0,
    }


def test_a_video_with_a_category_but_no_event_segment() -> None:
    true = truth([[1, 1], [0, 1]], [0, 0], n=1)
    found = predictions([[1, 1], [0, 1]], [0, 0], n=1)
    assert category_accuracy(found, true) == 1
    assert localization_scores(found, true).videos == 1
    assert partial_event(found, true).videos == 1
    assert per_category(found, true)[0].videos == 2


def test_silence_costs_overlap_and_is_counted() -> None:
    found = localization_scores(predictions([[1, 1]], [0], n=1), truth([[0, 1]], [0], n=1))
    assert (found.segment_iou, found.missed, found.boundary_error_seconds) == (0, 1, None)


def test_event_everywhere_is_no_better_than_chance_at_foreground() -> None:
    true = truth([[0, 1], [1, 1]], [0, 0], n=1)
    assert foreground_background(predictions([[0, 0], [0, 0]], [0, 0], n=1), true).balanced_accuracy == 0.5


def test_one_id_per_video_stands_for_all_its_segments(case: Case) -> None:
    true: Truth = case[1]
    everywhere = np.repeat(true.events[:, None], 4, axis=1)
    assert segment_accuracy(true.events[:, None], true) == segment_accuracy(everywhere, true)


def test_calibration_by_hand() -> None:
    relevance = np.array([[0.25, 0.25, 0.25, 0.25], [1.0, 1.0, 0.5, 0.0]], dtype=np.float32)
    event = np.array([[True, False, False, False], [True, True, True, False]])
    found = calibration_error(relevance, event, bins=2)
    # Low half: mean score 1/5, share 1/5. High half, with 0.5 and 1: mean score 5/6, share 1.
    assert found.expected_error == pytest.approx(3 / 8 * (1 - 5 / 6))
    assert found.bins[0].to_dict() == pytest.approx(
        {"low": 0, "high": 0.5, "segments": 5, "score": 0.2, "event_share": 0.2}
    )
    assert found.bins[1].to_dict() == pytest.approx(
        {"low": 0.5, "high": 1, "segments": 3, "score": 5 / 6, "event_share": 1}
    )


def test_an_empty_bin_has_no_score() -> None:
    found = calibration_error(np.zeros((1, 1), dtype=np.float32), np.array([[False]]))
    assert len(found.bins) == 15
    assert found.bins[14].segments == 0
    assert found.bins[14].score is None


def test_several_runs_of_an_event_have_boundaries_each() -> None:
    """One answer over two events and the gap between them: each event has its half of the gap too much."""
    true = truth([[0, 0, 1, 1, 1, 1, 0, 0]], [0], n=1)
    whole = predictions([[0] * 8], [0], n=1)
    found = localization_scores(whole, true)
    assert (found.runs, found.missed) == (2, 0)
    assert (found.start_error_seconds, found.end_error_seconds) == (1, 1)
    first = predictions([[0, 0, 0, 1, 1, 1, 1, 1]], [0], n=1)
    found = localization_scores(first, true)
    assert (found.runs, found.missed) == (2, 1), "the second event is missed"
    assert (found.start_error_seconds, found.end_error_seconds) == (0, 1)


def test_videos_of_different_length() -> None:
    """Two segments and four: four of six are right, and a video without an event costs what is called one in it."""
    true = replace(truth([[0, 0, 1, 1], [1, 1, 1, 1]], [0, 1], n=1), lengths=np.array([2, 4]))
    given = predictions([[0, 0, 0, 0], [1, 1, 0, 0]], [0, 0], n=1)
    found = score(given, true)
    assert found.segments == 6
    assert found.segment_accuracy == pytest.approx(4 / 6)
    assert found.events_iou50.to_dict() == {
        "precision": 1 / 2,
        "recall": 1,
        "predicted_events": 2,
        "true_events": 1,
    } | {"matched_events": 1}
    assert found.partial_event.videos == 0, "the first is all event within its length"


def test_padding_that_is_labelled_and_empty_videos_are_refused() -> None:
    whole = truth([[0, 0, 1, 1]], [0], n=1)
    with pytest.raises(DataError, match="Padding is labelled"):
        replace(whole, lengths=np.array([1]))
    with pytest.raises(DataError, match="no segments"):
        replace(truth([[1, 1]], [0], n=1), lengths=np.array([0]))
