"""Effect sizes and power against closed forms and simulated comparisons."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from avelzoo.errors import OptionError
from avelzoo.statistics import (
    Counts,
    assumed_deviation,
    effect_size,
    minimum_detectable_difference,
    paired_deviation,
    power,
    swap_test,
    video_values,
    videos_needed,
)


def accuracy(sums: Counts) -> Counts:
    return np.asarray(sums[..., 0] / sums[..., 1])


def f1(sums: Counts) -> Counts:
    return np.asarray(2 * sums[..., 0] / (sums[..., 1] + sums[..., 2]))


def of(values: object) -> Counts:
    array = np.asarray(values, dtype=np.float64)
    return np.stack([array, np.ones_like(array)], axis=-1)


def test_the_values_behind_a_mean_are_the_videos_own() -> None:
    values = np.random.default_rng(0).random((3, 20))
    assert video_values(of(values), accuracy) == pytest.approx(values.mean(axis=0))


def test_the_values_behind_f1_have_its_standard_error() -> None:
    """Their deviation / sqrt(v) is the jackknife's standard error, close to that of fresh videos."""
    rng = np.random.default_rng(1)

    def sample() -> Counts:
        predicted = rng.integers(0, 3, size=300)
        return np.stack([rng.binomial(np.minimum(predicted, 1), 0.7), predicted, np.ones(300)], axis=1)

    fresh = np.std([f1(sample().sum(axis=0)) for _ in range(2000)])
    assert video_values(sample(), f1).std(ddof=1) / math.sqrt(300) == pytest.approx(fresh, rel=0.1)


def test_effect_sizes() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.random((4, 30)), rng.random((3, 30))
    found = effect_size(of(first), of(second), accuracy)
    gaps = first.mean(axis=0) - second.mean(axis=0)
    assert found.standardized == pytest.approx(gaps.mean() / gaps.std(ddof=1))
    statistic = scipy.stats.mannwhitneyu(first.mean(axis=1), second.mean(axis=1)).statistic
    assert found.superiority == pytest.approx(statistic / 12)
    assert effect_size(of(first), of(first), accuracy).superiority == 0.5
    single = effect_size(of(first[0]), of(first[0]), accuracy)
    assert (single.standardized, single.superiority) == (None, None)
    assert effect_size(of([[0.5]]), of([[0.4]]), accuracy).standardized is None


def test_power_reaches_the_power_it_was_planned_for() -> None:
    found = minimum_detectable_difference(0.3, videos=402, power=0.8)
    assert power(found, 0.3, 402) == pytest.approx(0.8, abs=1e-4)
    assert videos_needed(found, 0.3) in (402, 403)
    assert power(0, 0.3, 402, alpha=0.1) == pytest.approx(0.1)
    assert power(-found, 0.3, 402) == power(found, 0.3, 402)
    z = scipy.stats.norm.ppf([0.975, 0.8]).sum()
    assert found == pytest.approx(z * 0.3 / math.sqrt(402))


def test_simulated_comparisons_have_the_planned_power() -> None:
    """A share of 30 % of the videos differs by 0.4; the second system wins a few more of them."""
    rng, videos, difference = np.random.default_rng(3), 150, 0.04
    deviation = assumed_deviation(0.3, 0.4, difference=difference)
    wins = (0.3 + difference / 0.4) / 2
    shown, pilots = 0, []
    for _ in range(300):
        gaps = rng.choice([0.4, -0.4, 0.0], size=videos, p=[wins, 0.3 - wins, 0.7])
        first, second = of(np.full(videos, 0.5)), of(0.5 - gaps)
        shown += swap_test(first, second, accuracy, resamples=199).p <= 0.05
        pilots.append(paired_deviation(first, second, accuracy))
    assert shown / 300 == pytest.approx(power(difference, deviation, videos), abs=0.07)
    assert np.mean(pilots) == pytest.approx(deviation, rel=0.03)


@pytest.mark.parametrize(
    "call",
    [
        lambda: power(0.1, 0.0, 100),
        lambda: power(0.1, 0.2, 0),
        lambda: power(0.1, 0.2, 100, alpha=0.0),
        lambda: minimum_detectable_difference(0.2, 100, power=1.0),
        lambda: videos_needed(0.0, 0.2),
        lambda: assumed_deviation(1.2),
        lambda: assumed_deviation(0.1, 0.5, difference=0.2),
    ],
)
def test_arguments_out_of_range_are_refused(call: object) -> None:
    with pytest.raises(OptionError):
        call()  # type: ignore[operator]


def test_the_page_shows_these_differences(root: Path) -> None:
    page = (root / "docs" / "statistics.md").read_text("utf-8")
    for share in (0.1, 0.3, 0.5):
        found = [minimum_detectable_difference(assumed_deviation(share, size), 402) for size in (0.2, 0.5, 1)]
        assert f"| {100 * share:.0f} % | " + " | ".join(f"{100 * x:.1f}" for x in found) + " |" in page
    deviation = assumed_deviation(share=0.3, size=0.5)
    shown = re.findall(r"^print\((.*)\)  # (.*)$", page, re.MULTILINE)
    values = [
        minimum_detectable_difference(deviation, videos=402), power(0.02, deviation, videos=402),
        videos_needed(0.01, deviation),
    ]  # fmt: skip
    assert [float(number) for _, number in shown] == pytest.approx(values, rel=0.01)
