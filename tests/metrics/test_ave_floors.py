"""The floors of the AVE test split, from the annotations."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from avelzoo.metrics import (
    MEASURES,
    PredictionArrays,
    Truth,
    category_groups,
    group_scores,
    run_length_groups,
    score,
    video_counts,
)

AVE = Path(__file__).resolve().parents[2].parent / "shared" / "ave"


@pytest.fixture(scope="module")
def ave_test() -> Truth:
    if not (AVE / "Annotations.txt").is_file():
        pytest.skip("the AVE annotations are not beside the repository")
    rows = [line.split("&") for line in (AVE / "Annotations.txt").read_text(encoding="utf-8").splitlines()]
    names = tuple(dict.fromkeys(row[0] for row in rows))
    with h5py.File(AVE / "test_order.h5") as file:
        order = np.asarray(file["order"])
    chosen = [rows[i] for i in order]
    events = np.array([names.index(row[0]) for row in chosen])
    starts, ends = (np.array([[int(row[column])] for row in chosen]) for column in (3, 4))
    seconds = np.arange(10)
    segments = np.where((starts <= seconds) & (seconds < ends), events[:, None], len(names))
    return Truth(segments=segments, events=events, categories=names)


def test_event_everywhere_with_the_true_category_reaches_the_published_scores(ave_test: Truth) -> None:
    everywhere = np.repeat(ave_test.events[:, None], 10, axis=1)
    oracle = PredictionArrays(
        segments=everywhere,
        category=ave_test.events,
        category_scores=np.eye(ave_test.n, dtype=np.float32)[ave_test.events],
        relevance=np.ones((402, 10), dtype=np.float32),
    )
    found = score(oracle, ave_test)
    assert (found.videos, len(found.per_category)) == (402, 28)
    assert round(found.floors.background, 3) == 0.178
    assert round(found.floors.category_oracle_all_event, 3) == 0.822
    assert found.segment_accuracy == found.floors.category_oracle_all_event
    assert found.floors.own_category_all_event == found.segment_accuracy
    assert found.partial_event.videos == 141
    assert found.category_accuracy == 1
    assert found.foreground_background.balanced_accuracy == 0.5
    assert found.calibration.expected_error == pytest.approx(found.floors.background)
    low, high = found.segment_accuracy_interval
    assert 0.048 < high - low < 0.058  # 402 videos: +-2.4 to 2.9 points


def test_groups_and_counts_of_the_test_split(ave_test: Truth) -> None:
    lengths = {name: int(inside.sum()) for name, inside in run_length_groups(ave_test).items()}
    assert [name.partition(" ")[0] for name in lengths] == [str(length) for length in range(2, 11)]
    assert sum(lengths.values()) - lengths["10 event segments"] == 141
    assert len(category_groups(ave_test)) == 28
    counts = video_counts(np.repeat(ave_test.events[:, None], 10, axis=1), ave_test, ave_test.events)
    rows = group_scores(counts, run_length_groups(ave_test), MEASURES["segment_accuracy"], resamples=200)
    assert [row.interval.value for row in rows] == pytest.approx([length / 10 for length in range(2, 11)])
    assert np.isnan(MEASURES["absent_event_rate"].statistic(counts.sum(axis=0)))
