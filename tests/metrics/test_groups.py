"""Groups of videos, and the scores in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from avelzoo.errors import DataError
from avelzoo.metrics import (
    MEASURES,
    Truth,
    category_groups,
    group_scores,
    modality_groups,
    run_length_groups,
    score,
    seen_groups,
    video_counts,
)
from tests.metrics.cases import Case, cases, truth


@settings(deadline=None, max_examples=40, derandomize=True)
@given(cases())
def test_groups_of_categories_have_the_scores_of_categories(case: Case) -> None:
    predictions, labels = case
    counts = video_counts(predictions.segments, labels, predictions.category)
    groups = category_groups(labels)
    found = {row.name: row for row in group_scores(counts, groups, MEASURES["segment_accuracy"], resamples=20)}
    rows = [row for row in score(predictions, labels, bootstrap=0).per_category if row.videos]
    assert {row.category: (row.segment_accuracy, row.videos) for row in rows} == {
        name: (row.interval.value, row.videos) for name, row in found.items()
    }


@settings(deadline=None, max_examples=40, derandomize=True)
@given(cases())
def test_every_video_has_one_run_length(case: Case) -> None:
    _, labels = case
    groups = run_length_groups(labels)
    assert (sum(inside.astype(int) for inside in groups.values()) == 1).all()
    lengths = [sum(y != labels.n for y in row) for row in labels.segments]
    for name, inside in groups.items():
        assert {length for length, flag in zip(lengths, inside, strict=True) if flag} == {int(name.partition(" ")[0])}


def test_many_run_lengths_are_shares() -> None:
    segments = np.full((21, 20), 1)
    for video in range(21):
        segments[video, :video] = 0
    long = Truth(segments=segments, events=np.zeros(21, dtype=int), categories=("event",))
    assert {name: int(inside.sum()) for name, inside in run_length_groups(long).items()} == {
        "no event segment": 1, "up to 25 %": 5, "25 to 50 %": 5, "50 to 75 %": 5, "over 75 %": 4, "every segment": 1,
    }  # fmt: skip


def test_modality_and_seen_groups_follow_the_categories() -> None:
    labels = truth([[0], [1], [2], [3], [0]], [0, 1, 2, 3, 0], n=3)
    led = {"event 0": "visual-led", "event 1": "audio-led"}
    found = modality_groups(labels, led)
    assert {name: inside.nonzero()[0].tolist() for name, inside in found.items()} == {
        "audio-led": [1], "visual-led": [0, 4],
    }  # fmt: skip
    seen = seen_groups(labels, ["event 0", "event 2"])
    assert {name: inside.nonzero()[0].tolist() for name, inside in seen.items()} == {
        "seen": [0, 2, 4], "unseen": [1],
    }  # fmt: skip
    with pytest.raises(DataError, match="Kinds") as caught:
        modality_groups(labels, {"event 0": "loud"})
    assert caught.value.found == "loud"


def test_scores_that_a_group_lacks_are_undefined() -> None:
    labels = truth([[0, 0], [0, 1], [1, 1]], [0, 0, 0], n=1)
    counts = video_counts(labels.segments, labels, np.zeros(3, dtype=int))
    rows = group_scores(counts, run_length_groups(labels), MEASURES["partial_event"], resamples=10)
    assert [(row.name, row.videos, row.to_dict()["value"]) for row in rows] == [
        ("0 event segments", 1, None),
        ("1 event segment", 1, 1),
        ("2 event segments", 1, None),
    ]
    none = group_scores(counts, {"nobody": np.zeros(3, dtype=bool)}, MEASURES["partial_event"])
    assert none == ()


def test_groups_of_several_runs_are_two_level() -> None:
    labels = truth([[0, 1]] * 8, [0] * 8, n=1)
    guesses = [np.tile([[0, 1], [1, 1]], (4, 1)), np.tile([[0, 0], [0, 1]], (4, 1))]
    counts = np.stack([video_counts(guess, labels) for guess in guesses])
    (row,) = group_scores(counts, run_length_groups(labels), MEASURES["segment_accuracy"], resamples=50)
    assert (row.interval.value, row.interval.method) == (0.75, "seed+video-bootstrap-50")
