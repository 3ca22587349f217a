"""Comparisons: numbers equal those of the scores, verdicts follow from the numbers."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest

from avelzoo.comparing import Comparison, System, compare, groups_table, numbers_table, pairs_table, rows_table
from avelzoo.errors import DataError, UsageError
from avelzoo.metrics import PredictionArrays, Truth, score
from tests.comparing.folders import made_truth, predicted

TRUTH = made_truth(60)
IDS = [f"v{i}" for i in range(60)]


def system(name: str, wrong: float, *seeds: int, truth: Truth = TRUTH, category: bool = True) -> System:
    segments = np.stack([predicted(truth, wrong, seed) for seed in seeds])
    categories = np.stack([truth.events] * len(seeds)) if category else None
    return System(name=name, segments=segments, category=categories, seeds=seeds)


@pytest.fixture(scope="module")
def found() -> Comparison:
    systems = [system("weak", 0.6, 0, 1), system("good", 0.1, 0, 1, 2), system("alike", 0.1, 5)]
    groups = {"bell": TRUTH.events == 0, "others": TRUTH.events != 0}
    return compare(systems, TRUTH, IDS, groups=groups, resamples=1000, notes=["one note"])


def test_rows_are_the_means_of_the_scores(found: Comparison) -> None:
    segments = np.stack([predicted(TRUTH, 0.1, seed) for seed in (0, 1, 2)])
    each = [
        score(
            PredictionArrays(
                segments=one,
                category=TRUTH.events,
                category_scores=np.eye(3, dtype=np.float32)[TRUTH.events],
                relevance=(one != 3).astype(np.float32),
            ),
            TRUTH,
            bootstrap=0,
        )
        for one in segments
    ]
    row = found.row("good")
    accuracies = [one.segment_accuracy for one in each]
    assert row.values == pytest.approx(accuracies)
    assert row.mean == pytest.approx(np.mean(accuracies))
    assert row.std == pytest.approx(np.std(accuracies, ddof=1))
    assert row.floors is not None
    assert row.gain is not None
    assert row.floors.own_category == pytest.approx(each[0].floors.own_category_all_event)
    assert row.floors.category_oracle == pytest.approx(each[0].floors.category_oracle_all_event)
    assert row.floors.background == pytest.approx(each[0].floors.background)
    assert row.floors.own_category is not None
    assert row.gain.value == pytest.approx(row.mean - row.floors.own_category)
    assert row.gain.low < row.gain.value < row.gain.high
    assert found.row("alike").std is None


def test_letters_and_tests_agree(found: Comparison) -> None:
    assert [row.name for row in found] == sorted((r.name for r in found), key=lambda name: -found.row(name).mean)
    for pair in found.pairs:
        shared = set(found.row(pair.first).letter) & set(found.row(pair.second).letter)
        assert bool(shared) != pair.separated
        assert pair.separated == (pair.adjusted_p < 0.05 and 0 not in pair.difference)
        assert pair.adjusted_p >= pair.p
    assert found.pair("weak", "good").separated
    assert not found.pair("alike", "good").separated


def test_groups_are_parts_of_the_videos(found: Comparison) -> None:
    bell, others = found.groups
    assert bell.videos + others.videos == found.videos == 60
    for place, row in enumerate(found.rows):
        share = (bell.videos * bell.rows[place].mean + others.videos * others.rows[place].mean) / 60
        assert share == pytest.approx(row.mean)  # all videos have ten segments
    assert [len(group.differences) for group in found.groups] == [3, 3]


def test_the_verdict_is_in_sentences(found: Comparison) -> None:
    text = "\n".join(found.sentences())
    assert f"has the highest mean of 3 systems, {100 * found.rows[0].mean:.1f}" in text
    assert "'good' is better than 'weak'" in text
    assert "not separated" in text
    assert "Training noise is not covered for 'alike': one run." in text
    assert text.endswith("One note.")
    single = compare([system("a", 0.1, 0), system("b", 0.1, 1)], TRUTH, IDS, resamples=200)
    assert "Training noise is not covered: one run each. Another seed may give another result." in single.sentences()


def test_floors_that_are_not_exceeded_are_named() -> None:
    everywhere = System(name="everywhere", segments=np.repeat(TRUTH.events[None, :, None], 10, axis=2))
    oracle = compare([everywhere], TRUTH, IDS, resamples=200)
    assert any("the system is not shown to exceed it" in line for line in oracle.sentences())
    floored = System(name="all", segments=everywhere.segments, category=TRUTH.events[None])
    lines = compare([floored], TRUTH, IDS, resamples=200).sentences()
    assert any("'all' is not shown to score more than its own category in every segment: 0.0" in line for line in lines)


def test_gains_that_cancel_have_an_interval_around_zero() -> None:
    """Two runs: one is better than its floor in one segment of a video, one is worse in another segment of it."""
    truth = Truth(segments=np.array([[0, 1]] * 2 + [[0, 0]] * 8), events=np.zeros(10, dtype=int), categories=("a",))
    everywhere = np.zeros((2, 10, 2), dtype=int)
    everywhere[0, 0, 1] = 1
    everywhere[1, 0, 0] = 1
    found = compare([System(name="x", segments=everywhere, category=everywhere[:, :, 0] * 0)], truth, IDS[:10])
    gain = found.rows[0].gain
    assert gain is not None
    assert gain.value == pytest.approx(0)
    assert gain.low < -0.01
    assert gain.high > 0.01


def test_equal_predictions_are_not_separated_but_practically_equal() -> None:
    truth = made_truth(400)
    one = system("one", 0.1, 0, truth=truth)
    other = System(name="other", segments=one.segments, category=one.category)
    pair = compare([one, other], truth, [str(i) for i in range(400)], resamples=200).pairs[0]
    assert (pair.p, pair.exact, pair.separated, pair.practically_equal) == (1.0, True, False, True)
    assert pair.minimum_detectable is None


def test_a_pair_that_meets_one_condition_is_told_why_it_is_not_separated(found: Comparison) -> None:
    pair = found.pair("weak", "good")
    around = replace(pair.difference, low=-0.1, high=0.1)
    text = replace(found, pairs=(replace(pair, difference=around, separated=False),)).sentences()
    assert any("significant, but the interval, which also covers training noise, includes 0; they" in s for s in text)
    videos = replace(around, method="video-bootstrap-1k")
    text = replace(found, pairs=(replace(pair, difference=videos, separated=False),)).sentences()
    assert any("significant, but the interval includes 0; they" in s for s in text)
    text = replace(found, pairs=(replace(pair, adjusted_p=0.2, separated=False),)).sentences()
    assert any("The interval excludes 0, but the adjusted p is not below 5 %;" in s for s in text)
    assert not any("but" in s for s in found.sentences())


def test_equal_systems_are_said_to_be_equal() -> None:
    one = system("one", 0.1, 0)
    other = System(name="other", segments=one.segments, category=one.category)
    head = compare([one, other], TRUTH, IDS, resamples=100).sentences()[0]
    assert "videos: both score" in head
    assert head.endswith("; the predictions are identical.")
    ids = [(TRUTH.segments + shift)[None] % 4 for shift in (1, 2)]
    assert not any((x == TRUTH.segments).any() for x in ids)
    head = compare([System(name=str(i), segments=x) for i, x in enumerate(ids)], TRUTH, IDS, resamples=100).sentences()[
        0
    ]
    assert "both score 0.0" in head
    assert "identical" not in head


def test_systems_below_a_floor_are_said_to_be_below() -> None:
    everywhere = System(name="floor", segments=np.repeat(TRUTH.events[None, :, None], 10, axis=2))
    poor = [system("poor", 0.9, 0), system("worse", 1.0, 1)]
    lines = compare([everywhere, system("good", 0.01, 0), *poor], TRUTH, IDS, resamples=200).sentences()
    assert any(s.endswith("'floor' is not shown to exceed it, and 'poor' and 'worse' are below it.") for s in lines)
    assert any(s.endswith("; all systems are below it.") for s in compare(poor, TRUTH, IDS, resamples=200).sentences())
    single = compare(poor[:1], TRUTH, IDS, resamples=200).sentences()
    assert any(s.endswith("; the system is below it.") for s in single)


def test_a_baseline_has_one_pair_per_other_system() -> None:
    systems = [system(name, wrong, 0) for name, wrong in (("base", 0.3), ("a", 0.1), ("b", 0.5))]
    found = compare(systems, TRUTH, IDS, baseline="base", resamples=200)
    assert [(pair.first, pair.second) for pair in found.pairs] == [("a", "base"), ("b", "base")]
    assert [pair.difference.value > 0 for pair in found.pairs] == [True, False]
    assert any("'b' is worse than 'base'" in line for line in found.sentences())
    assert {row.letter for row in found} == {""}
    assert "letter" not in rows_table(found).columns


def test_errors_in_seconds_are_better_when_small() -> None:
    systems = [system("rough", 0.5, 0), system("fine", 0.05, 0)]
    found = compare(systems, TRUTH, IDS, measure="boundary_error", resamples=200, margin=0.5)
    assert found.rows[0].name == "fine"
    assert "lowest mean" in found.sentences()[0]
    assert "seconds (" in " ".join(found.sentences())
    assert found.rows[0].floors is None
    with pytest.raises(UsageError, match="needs predicted categories"):
        compare([system("bare", 0.1, 0, category=False)], TRUTH, IDS, measure="boundary_error")


def test_an_undefined_measure_is_said_to_be_undefined() -> None:
    found = compare([system("a", 0.1, 0), system("b", 0.2, 0)], TRUTH, IDS, measure="absent_event_rate", resamples=100)
    assert "undefined" in found.sentences()[0]
    assert "cannot be compared" in found.sentences()[1]
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["rows"][0]["mean"] is None


def test_tables_have_every_system(found: Comparison) -> None:
    lines = list(csv.DictReader(StringIO(numbers_table(found).csv())))
    assert [(line["group"], line["system"]) for line in lines][:3] == [("all", row.name) for row in found]
    assert float(lines[0]["mean"]) == found.rows[0].mean
    assert len(lines) == 9
    assert rows_table(found).markdown().count("\n| ") == 7  # header, rule, three systems, two floors
    assert len(pairs_table(found).rows) == 3
    assert len(groups_table(found).rows) == 6
    assert r"95 \% interval" in rows_table(found).latex()
    caption = next(line for line in pairs_table(found).latex().splitlines() if "caption" in line)
    assert caption.startswith(r"\caption{Differences of segment accuracy in points. p: whole videos are swapped")
    assert r"Separated: adjusted p below 5 \%, and an interval, training noise included, that excludes 0." in caption


@pytest.mark.parametrize(
    ("systems", "options", "message"),
    [
        ([], {}, "at least one system"),
        ([system("a", 0.1, 0)] * 2, {}, "distinct names"),
        ([system("a", 0.1, 0)], {"baseline": "b"}, "no system is named 'b'"),
        ([system("a", 0.1, 0)], {"measure": "segment_acuracy"}, "did you mean 'segment_accuracy'"),
        ([system("a", 0.1, 0)], {"margin": 0.0}, "margin is not positive"),
    ],
)
def test_requests_without_sense_are_refused(systems: list[System], options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        compare(systems, TRUTH, IDS, **options)  # type: ignore[arg-type]


def test_predictions_of_other_sizes_are_refused() -> None:
    with pytest.raises(DataError, match="wrong shape"):
        compare([system("a", 0.1, 0, truth=made_truth(59))], TRUTH, IDS)
    with pytest.raises(UsageError, match="one seed per run"):
        System(name="a", segments=np.zeros((2, 3, 4), dtype=int), seeds=(1,))
    with pytest.raises(UsageError, match="wrong shape"):
        System(name="a", segments=np.zeros((3, 4), dtype=int))
