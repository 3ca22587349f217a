from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from avelzoo.errors import OptionError
from avelzoo.metrics import bootstrap_interval, score
from tests.metrics.cases import Case, cases, random_case


@settings(deadline=None, max_examples=40, derandomize=True)
@given(cases())
def test_the_interval_contains_the_accuracy_and_follows_its_seed(case: Case) -> None:
    first, again = score(*case, bootstrap=200, seed=5), score(*case, bootstrap=200, seed=5)
    assert first == again
    low, high = first.segment_accuracy_interval
    assert low <= first.segment_accuracy <= high


def test_another_seed_gives_another_interval_but_no_other_score() -> None:
    case = random_case(0, videos=40, length=7, n=3)
    first, second = score(*case, seed=0), score(*case, seed=1)
    assert first.segment_accuracy_interval != second.segment_accuracy_interval
    assert replace(first, segment_accuracy_interval=None) == replace(second, segment_accuracy_interval=None)


def test_it_agrees_with_drawing_the_videos_one_by_one() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 11, size=60)
    means = sorted(values[rng.integers(0, 60, size=60)].mean() for _ in range(20_000))
    expected = (means[500], means[19_500])
    assert bootstrap_interval(values, resamples=20_000) == pytest.approx(expected, abs=0.05)
    assert expected[1] - expected[0] > 1


def test_more_videos_narrow_it_as_the_root_of_their_number() -> None:
    widths = []
    for videos in (100, 400, 1600):
        values = np.tile(np.arange(10), videos // 10)
        low, high = bootstrap_interval(values, resamples=4000)
        widths.append(high - low)
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.1)
    assert widths[1] / widths[2] == pytest.approx(2, rel=0.1)


def test_it_resamples_videos_not_segments() -> None:
    """Fully correlated segments: the interval is that of v coins, sqrt(10) wider than that of 10 v segments."""
    low, high = bootstrap_interval(np.repeat([0, 10], 50), resamples=4000)
    assert (high - low) / 10 == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(100), rel=0.1)


def test_paired_differences_see_past_the_spread_of_the_videos() -> None:
    rng = np.random.default_rng(1)
    first = rng.random(200)
    second = first - 0.02 + rng.normal(scale=0.01, size=200)
    low, high = bootstrap_interval(first - second)
    assert 0 < low < 0.02 < high
    assert bootstrap_interval(first)[0] < bootstrap_interval(second)[1]


def test_one_video_has_no_spread() -> None:
    assert bootstrap_interval(np.array([0.3])) == (0.3, 0.3)


def test_many_distinct_values_are_drawn_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(2).random(500)
    whole = bootstrap_interval(values, resamples=300)
    monkeypatch.setattr("avelzoo.statistics.resampling.BLOCK", 1500)
    assert bootstrap_interval(values, resamples=300) == pytest.approx(whole)


def test_a_lower_level_is_narrower() -> None:
    values = np.arange(50)
    wide, narrow = bootstrap_interval(values, level=0.95), bootstrap_interval(values, level=0.5)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_the_interval_can_be_left_out() -> None:
    assert score(*random_case(0, videos=3, length=4, n=2), bootstrap=0).segment_accuracy_interval is None


@pytest.mark.parametrize("options", [{"resamples": 0}, {"resamples": -1}, {"level": 0.0}, {"level": 1.0}])
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        bootstrap_interval(np.arange(3), **options)  # type: ignore[arg-type]


def test_videos_of_different_length_are_drawn_with_their_lengths() -> None:
    rng = np.random.default_rng(3)
    lengths = rng.integers(1, 15, size=60)
    right = rng.binomial(lengths, 0.7)
    drawn = rng.integers(0, 60, size=(20_000, 60))
    shares = np.sort(right[drawn].sum(axis=1) / lengths[drawn].sum(axis=1))
    found = bootstrap_interval(right, per=lengths, resamples=20_000)
    assert found == pytest.approx((shares[500], shares[19_500]), abs=0.005)
