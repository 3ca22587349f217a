"""The test by swapping videos against all swaps, SciPy, and its promise under the null hypothesis."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import scipy.stats

from avelzoo.errors import OptionError
from avelzoo.statistics import Counts, swap_test


def accuracy(sums: Counts) -> Counts:
    return np.asarray(sums[..., 0] / sums[..., 1])


def f1(sums: Counts) -> Counts:
    """Matched, predicted and true events: a score that is not a mean over videos."""
    total = sums[..., 1] + sums[..., 2]
    return np.divide(2 * sums[..., 0], total, out=np.full(sums.shape[:-1], np.nan), where=total > 0)


def events(rng: np.random.Generator, videos: int) -> Counts:
    predicted, true = rng.integers(0, 3, size=videos), np.ones(videos, dtype=np.int64)
    return np.stack([np.minimum(rng.integers(0, 2, size=videos), predicted), predicted, true], axis=1).astype(float)


@pytest.mark.parametrize("seed", range(4))
def test_few_differing_videos_are_enumerated(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = events(rng, 9), events(rng, 9)
    second[:2] = first[:2]
    found = swap_test(first, second, f1)
    gaps = []
    for swapped in product([False, True], repeat=9):
        mask = np.array(swapped)[:, None]
        gaps.append(f1(np.where(mask, second, first).sum(axis=0)) - f1(np.where(mask, first, second).sum(axis=0)))
    assert found.exact
    assert found.permutations == 2**found.differing <= 2**7
    assert found.difference == pytest.approx(gaps[0])
    assert found.p == pytest.approx(np.mean(np.abs(gaps) >= abs(gaps[0]) - 1e-12))


def test_the_exact_p_of_a_mean_is_scipys() -> None:
    rng = np.random.default_rng(1)
    right = rng.integers(0, 11, size=(2, 12))
    counts = np.stack([right, np.full((2, 12), 10)], axis=2).astype(float)
    theirs = scipy.stats.permutation_test(
        (right[0] / 10, right[1] / 10),
        lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        permutation_type="samples", vectorized=True, n_resamples=np.inf,
    )  # fmt: skip
    found = swap_test(counts[0], counts[1], accuracy)
    assert found.exact
    assert found.p == pytest.approx(theirs.pvalue)


def test_a_sign_test_in_closed_form() -> None:
    """k videos, all won by the first system: 2 of the 2^k swaps are as extreme."""
    second = np.tile([0.0, 1.0], (30, 1))
    first = second.copy()
    first[:6, 0] = 1
    assert swap_test(first, second, accuracy).p == 2 / 2**6


def test_random_swaps_agree_with_scipy_and_are_never_zero() -> None:
    rng = np.random.default_rng(2)
    right = rng.binomial(10, [[0.80], [0.82]], size=(2, 200))
    counts = np.stack([right, np.full((2, 200), 10)], axis=2).astype(float)
    theirs = scipy.stats.permutation_test(
        (right[0], right[1]), lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        permutation_type="samples", vectorized=True, n_resamples=9999, rng=np.random.default_rng(0),
    )  # fmt: skip
    found = swap_test(counts[0], counts[1], accuracy)
    assert not found.exact
    assert found.p == pytest.approx(theirs.pvalue, abs=0.02)
    clear = swap_test(counts[0], np.concatenate([counts[0, :, :1] * 0, counts[0, :, 1:]], axis=1), accuracy)
    assert clear.p == 1 / 10_001


def test_equal_systems_have_p_1() -> None:
    counts = events(np.random.default_rng(3), 20)
    found = swap_test(counts, counts, f1)
    assert (found.difference, found.p, found.permutations, found.exact) == (0, 1, 1, True)


def test_the_order_of_systems_changes_the_sign_alone() -> None:
    rng = np.random.default_rng(4)
    first, second = events(rng, 60), events(rng, 60)
    one, other = swap_test(first, second, f1), swap_test(second, first, f1)
    assert one.difference == -other.difference
    assert one.p == pytest.approx(other.p, abs=0.02)


def test_runs_count_by_their_mean() -> None:
    rng = np.random.default_rng(5)
    runs, other = np.stack([events(rng, 10) for _ in range(4)]), events(rng, 10)
    assert swap_test(runs, other, f1) == swap_test(runs.mean(axis=0), other, f1)


def test_it_rejects_a_true_null_as_often_as_alpha() -> None:
    """Segments of a video are dependent; the test is right all the same, as videos are swapped whole."""
    rng, rejected = np.random.default_rng(6), 0
    for _ in range(400):
        right = rng.binomial(10, rng.beta(1, 1, size=(1, 40)) * rng.beta(5, 1, size=(2, 40)))
        counts = np.stack([right, np.full((2, 40), 10)], axis=2).astype(float)
        rejected += swap_test(counts[0], counts[1], accuracy, resamples=199).p <= 0.1
    assert 0.06 <= rejected / 400 <= 0.14


def test_an_undefined_difference_has_no_p() -> None:
    nothing = np.zeros((3, 3))
    found = swap_test(nothing, nothing, f1)
    assert found.to_dict() == {"difference": None, "p": None, "permutations": 0, "exact": False, "differing": 0}


def test_other_videos_are_refused() -> None:
    with pytest.raises(OptionError, match="different videos"):
        swap_test(np.zeros((3, 2)), np.zeros((4, 2)), accuracy)
    with pytest.raises(OptionError, match="resamples"):
        swap_test(np.ones((3, 2)), np.ones((3, 2)), accuracy, resamples=0)
