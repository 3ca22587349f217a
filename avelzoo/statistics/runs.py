"""Intervals over runs (seeds): Student's t for one system, Welch's for the difference of two."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from avelzoo.errors import OptionError
from avelzoo.statistics.records import Interval, check_level


def t_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Interval of the mean score of a training procedure, from one score per run: mean +- t sqrt(S^2 / s).

    It covers training noise on this test set, not the choice of test videos. S^2 is the sample variance, t the quantile
    (1 + level) / 2 of Student's distribution with s - 1 degrees of freedom.

    Args:
        values: one score per run, two or more.
        level: coverage in (0, 1).

    Raises:
        OptionError: fewer than two runs, or a level out of range.
    """
    check_level(level)
    mean, variance = _moments(values, where="t_interval")
    half = student_quantile((1 + level) / 2, len(values) - 1) * math.sqrt(variance)
    return Interval(mean, mean - half, mean + half, level, "seed-t")


def welch_interval(first: Sequence[float], second: Sequence[float], level: float = 0.95) -> Interval:
    """Interval of the difference of two mean scores, from one score per run of each system; variances may differ.

    difference +- t sqrt(S_1^2 / s_1 + S_2^2 / s_2), with the degrees of freedom of Welch and Satterthwaite (Welch
    1947). It covers training noise on this test set, not the choice of test videos. If it excludes 0, new runs
    are likely to show the same sign.

    Args:
        first: one score per run of one system, two or more.
        second: the same of another system.
        level: coverage in (0, 1).

    Raises:
        OptionError: fewer than two runs of a system, or a level out of range.
    """
    check_level(level)
    (mean, a), (other, b) = _moments(first, where="welch_interval"), _moments(second, where="welch_interval")
    value, half = mean - other, 0.0
    if a + b > 0:
        freedom = (a + b) ** 2 / (a * a / (len(first) - 1) + b * b / (len(second) - 1))
        half = student_quantile((1 + level) / 2, freedom) * math.sqrt(a + b)
    return Interval(value, value - half, value + half, level, "seed-welch-t")


def student_quantile(probability: float, freedom: float) -> float:
    """Quantile of Student's t distribution with ``freedom`` degrees of freedom, which need not be an integer.

    With t = sqrt(f) tan(x), the density is proportional to cos(x)^(f - 1) on (-pi/2, pi/2). Gauss-Legendre quadrature
    gives the distribution function, bisection its inverse.

    Raises:
        OptionError: a probability outside (0, 1), or fewer than 1 degree of freedom.
    """
    check_level(probability, where="probability")
    if freedom < 1:
        raise OptionError("Degrees of freedom are too few.", where="freedom", found=str(freedom), expected=">= 1")
    nodes, weights = np.polynomial.legendre.leggauss(80)
    constant = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    wanted = abs(probability - 0.5)
    low, high = 0.0, math.pi / 2
    for _ in range(80):
        middle = (low + high) / 2
        # Beyond 40 standard deviations the density is 0, and nodes there would be lost.
        end = min(middle, math.atan(40 / math.sqrt(freedom))) if freedom > 100 else middle
        mass = constant * end / 2 * float(weights @ np.cos(end / 2 * (nodes + 1)) ** (freedom - 1))
        low, high = (middle, high) if mass < wanted else (low, middle)
    return math.copysign(math.sqrt(freedom) * math.tan((low + high) / 2), probability - 0.5)


def _moments(values: Sequence[float], *, where: str) -> tuple[float, float]:
    """Mean, and sample variance of the mean."""
    if len(values) < 2:
        raise OptionError(
            "Training noise cannot be estimated from one run.",
            where=where,
            found=f"{len(values)} runs",
            expected="2 or more",
            fix="train the system with more seeds",
        )
    array = np.asarray(values, dtype=np.float64)
    return float(array.mean()), float(array.var(ddof=1)) / len(array)
