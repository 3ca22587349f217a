"""Intervals against closed forms, naive loops and SciPy, and how often they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from avelzoo.errors import OptionError
from avelzoo.statistics import (
    Counts,
    difference_interval,
    practically_equal,
    student_quantile,
    t_interval,
    video_interval,
    welch_interval,
    wilson,
)
from avelzoo.statistics.records import Interval


def accuracy(sums: Counts) -> Counts:
    return np.divide(sums[..., 0], sums[..., 1], out=np.full(sums.shape[:-1], np.nan), where=sums[..., 1] > 0)


def of(right: object, total: object = 10) -> Counts:
    values = np.asarray(right, dtype=np.float64)
    return np.stack([values, np.broadcast_to(np.asarray(total, dtype=np.float64), values.shape)], axis=-1)


def test_one_run_agrees_with_scipys_bootstrap() -> None:
    right = np.random.default_rng(0).binomial(10, 0.8, size=150)
    found = video_interval(of(right), accuracy)
    theirs = scipy.stats.bootstrap(
        (right / 10,), np.mean, n_resamples=9999, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.003)
    assert found.value == right.mean() / 10
    assert (found.method, found.covers) == ("video-bootstrap-10k", "choice of test videos, not training noise")


@pytest.mark.parametrize("repeated", [True, False])
def test_both_ways_to_draw_agree_with_a_loop(repeated: bool) -> None:
    rng = np.random.default_rng(2)
    lengths = np.full(40, 10) if repeated else rng.integers(5, 60, size=40)
    counts = of(np.repeat([9, 4], 20) if repeated else rng.binomial(lengths, 0.6), lengths)
    assert (4 * len(np.unique(counts, axis=0)) <= 40) == repeated
    drawn = [accuracy(counts[rng.integers(0, 40, size=40)].sum(axis=0)) for _ in range(4000)]
    found = video_interval(counts, accuracy, level=0.9, resamples=8000)
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, [0.05, 0.95]), abs=0.008)


def test_memory_stays_bounded_for_many_distinct_videos(monkeypatch: pytest.MonkeyPatch) -> None:
    right = np.random.default_rng(3).random(300)
    whole = video_interval(of(right), accuracy, resamples=200, seed=4)
    monkeypatch.setattr("avelzoo.statistics.resampling.BLOCK", 1000)
    again = video_interval(of(right), accuracy, resamples=200, seed=4)
    assert (again.low, again.high) == pytest.approx((whole.low, whole.high), rel=1e-12)


def test_runs_add_the_variance_of_their_mean() -> None:
    """Without spread between videos, the interval is that of the mean of s runs, from S^2 / s."""
    scores = np.array([0.70, 0.74, 0.75, 0.77, 0.79, 0.80, 0.83, 0.90])
    counts = of(np.repeat(scores[:, None] * 10, 50, axis=1))
    found = video_interval(counts, accuracy, level=0.9)
    half = 1.645 * math.sqrt(scores.var(ddof=1) / 8)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.05)
    assert (found.method, found.covers) == (
        "seed+video-bootstrap-10k",
        "choice of test videos and training noise",
    )


def test_videos_and_runs_add_up() -> None:
    rng = np.random.default_rng(5)
    videos, runs = rng.normal(0, 1, size=100), rng.normal(0, 0.1, size=(6, 1))
    values = 5 + videos + runs
    found = video_interval(of(values, 1), accuracy, level=0.95)
    variance = videos.var() / 100 + runs.var(ddof=1) / 6
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * math.sqrt(variance), rel=0.05)


def test_every_run_is_resampled_with_the_same_videos() -> None:
    """Runs that are right on other videos: each alone varies with the videos, their mean does not."""
    flags = np.arange(60) % 2
    counts = of(10 * np.stack([flags, 1 - flags, flags, 1 - flags]))
    draws = video_interval(counts.mean(axis=0), accuracy, resamples=500)
    assert (draws.low, draws.high) == (0.5, 0.5)
    found = difference_interval(counts[0], counts[1], accuracy)
    assert found.high - found.low == pytest.approx(2 * 2 * 1.96 * 0.5 / math.sqrt(60), rel=0.1)


def test_it_holds_the_truth_as_often_as_it_says() -> None:
    """400 test sets of 100 videos with 10 dependent segments each."""
    rng = np.random.default_rng(6)
    population = rng.binomial(10, rng.beta(4, 1.5, size=200_000))
    truth = population.mean() / 10
    held = [
        truth in video_interval(of(population[rng.integers(0, 200_000, size=100)]), accuracy, resamples=500)
        for _ in range(400)
    ]
    assert 0.92 <= np.mean(held) <= 0.98


def test_both_levels_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    both = alone = 0
    for _ in range(200):
        values = rng.normal(0, 1, size=(1, 80)) + rng.normal(0, 0.2, size=(8, 1)) + rng.normal(0, 0.5, size=(8, 80))
        both += 0.0 in video_interval(of(values, 1), accuracy, resamples=400)
        alone += 0.0 in video_interval(of(values[:1], 1), accuracy, resamples=400)
    assert 0.90 <= both / 200 <= 0.98
    assert alone / 200 < 0.80, "one run does not cover training noise"


@pytest.mark.parametrize(("runs", "least", "most"), [(2, 0.4, 0.6), (5, 0.8, 0.94), (10, 0.86, 0.97)])
def test_few_runs_show_little_of_training_noise(runs: int, least: float, most: float) -> None:
    """Training noise alone: what the page on statistics says about few runs."""
    rng = np.random.default_rng(8)
    noise = np.broadcast_to(rng.normal(size=(200, runs, 1)), (200, runs, 10))
    held = [0.0 in video_interval(of(one, 1), accuracy, resamples=200, share=False) for one in noise]
    assert least <= np.mean(held) <= most


def test_equal_videos_have_wilsons_interval() -> None:
    found, theirs = (
        video_interval(of(np.full(402, 10)), accuracy),
        scipy.stats.binomtest(402, 402).proportion_ci(method="wilson"),
    )
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert found.method == "video-wilson"
    none = video_interval(of(np.zeros((2, 402))), accuracy)
    assert (none.low, none.high) == pytest.approx((1 - theirs.high, 1 - theirs.low))
    assert none.method == "seed+video-wilson"


def test_a_few_wrong_videos_have_wilsons_interval_at_their_own_number() -> None:
    right = np.ones(300)
    right[:2] = 0
    found, expected = video_interval(of(right, 1), accuracy), wilson(298, 300)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.002)
    right[:6] = 0
    assert video_interval(of(right, 1), accuracy).method == "video-bootstrap-10k"


def test_identical_systems_may_differ_on_other_videos() -> None:
    counts = of(np.random.default_rng(8).binomial(10, 0.8, size=402))
    found = difference_interval(counts, counts, accuracy)
    bound = wilson(0, 402).high
    assert (found.value, found.low, found.high, found.method) == (0, -bound, bound, "video-wilson")
    assert practically_equal(found, 0.01)
    assert not practically_equal(found, 0.009)


def test_a_difference_or_an_error_has_no_wilson_interval() -> None:
    gains = np.zeros(300)
    gains[0] = 1
    found = video_interval(of(gains, 1), accuracy, share=False)
    assert (found.low, found.method) == (0, "video-bootstrap-10k")
    counts = of(gains, 1)
    same = difference_interval(counts, counts, accuracy, share=False)
    assert (same.low, same.high, same.method) == (0, 0, "video-bootstrap-10k")


def test_undefined_scores_have_no_interval() -> None:
    found = video_interval(of(np.zeros(5), 0), accuracy)
    assert all(map(math.isnan, (found.value, found.low, found.high)))
    assert found.to_dict() == {
        "value": None, "low": None, "high": None, "level": 0.95, "method": "video-bootstrap-10k"
    }  # fmt: skip


def test_resamples_without_a_value_are_left_out() -> None:
    """Each sample of 12 videos misses the one with a score, or all of its kind, 35 % of the time."""
    flags, found_in = np.zeros(12), np.zeros(12)
    flags[0] = found_in[0] = 1
    rare = video_interval(of(found_in, flags), lambda sums: accuracy(sums) * 7, resamples=500)
    assert (rare.value, rare.low, rare.high) == (7, 7, 7)


@pytest.mark.parametrize(("successes", "total"), [(0, 1), (1, 1), (0, 30), (30, 30), (3, 402), (200, 402)])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_wilson_is_scipys(successes: int, total: int, level: float) -> None:
    theirs = scipy.stats.binomtest(successes, total).proportion_ci(level, method="wilson")
    found = wilson(successes, total, level)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert found.value in found


@pytest.mark.parametrize("freedom", [1, 1.5, 2, 4, 7.3, 30, 500, 1e5])
@pytest.mark.parametrize("probability", [0.01, 0.3, 0.5, 0.9, 0.975, 0.9995])
def test_students_quantiles_are_scipys(probability: float, freedom: float) -> None:
    assert student_quantile(probability, freedom) == pytest.approx(
        scipy.stats.t.ppf(probability, freedom), rel=1e-6, abs=1e-9
    )


def test_intervals_over_runs_are_scipys() -> None:
    first, second = [0.71, 0.74, 0.78, 0.80, 0.72], [0.70, 0.69, 0.75]
    one, other = scipy.stats.ttest_1samp(first, 0), scipy.stats.ttest_ind(first, second, equal_var=False)
    found, difference = t_interval(first), welch_interval(first, second, level=0.9)
    theirs, gap = one.confidence_interval(0.95), other.confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert (difference.low, difference.high) == pytest.approx((gap.low, gap.high))
    assert found.covers == "training noise, not the choice of test videos"
    same = welch_interval([0.5, 0.5], [0.4, 0.4])
    assert (same.low, same.high) == pytest.approx((0.1, 0.1))


def test_practically_equal_is_a_claim_about_the_whole_interval() -> None:
    assert practically_equal(Interval(0.002, -0.004, 0.008, 0.95, "x"), 0.01)
    assert not practically_equal(Interval(0.002, -0.012, 0.008, 0.95, "x"), 0.01)
    assert not practically_equal(Interval(math.nan, math.nan, math.nan, 0.95, "x"), 0.01)


@pytest.mark.parametrize(
    "call",
    [
        lambda: video_interval(of([1, 2]), accuracy, level=1.0),
        lambda: video_interval(of([1, 2]), accuracy, resamples=0),
        lambda: video_interval(np.zeros((0, 2)), accuracy),
        lambda: video_interval(np.zeros(3), accuracy),
        lambda: difference_interval(of([1, 2]), of([1, 2, 3]), accuracy),
        lambda: wilson(3, 2),
        lambda: wilson(0, 0),
        lambda: t_interval([0.5]),
        lambda: welch_interval([0.5, 0.6], [0.5]),
        lambda: student_quantile(0.0, 3),
        lambda: student_quantile(0.9, 0.5),
    ],
)
def test_arguments_out_of_range_are_refused(call: object) -> None:
    with pytest.raises(OptionError):
        call()  # type: ignore[operator]
