"""Adjusted p-values and letters against their definitions."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from avelzoo.errors import OptionError
from avelzoo.statistics import holm, letters


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.001, 0.5))
def test_holm_rejects_what_its_steps_reject(ps: list[float], alpha: float) -> None:
    """The step-down procedure: smallest first, against alpha / (m - i), until one is not rejected."""
    rejected = set()
    for i, index in enumerate(sorted(range(len(ps)), key=lambda j: ps[j])):
        if ps[index] * (len(ps) - i) > alpha:
            break
        rejected.add(index)
    assert {i for i, p in enumerate(holm(ps)) if p <= alpha} == rejected


def test_holm_leaves_undefined_values_out() -> None:
    assert holm([0.02, float("nan"), 0.03]) == pytest.approx((0.04, float("nan"), 0.04), nan_ok=True)
    assert holm([]) == ()
    with pytest.raises(OptionError):
        holm([1.2])


def test_letters_of_a_known_table() -> None:
    """Piepho 2004's idea by hand: a-b and b-c cannot be separated, a-c can; d stands alone."""
    pairs = {("a", "c"), ("d", "a"), ("b", "d"), ("c", "d")}
    assert letters("abcd", pairs) == {"a": "a", "b": "ab", "c": "b", "d": "c"}
    assert letters(["x"], []) == {"x": "a"}
    assert letters(["x", "y"], []) == {"x": "a", "y": "a"}


@settings(deadline=None, max_examples=80, derandomize=True)
@given(st.integers(1, 7), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_rows_share_a_letter_exactly_if_they_are_not_separated(rows: int, seed: int, density: float) -> None:
    names = [f"row {i}" for i in range(rows)]
    rng = np.random.default_rng(seed)
    separated = {pair for pair in combinations(names, 2) if rng.random() < density}
    found = letters(names, separated)
    assert all(found.values())
    for a, b in combinations(names, 2):
        assert (set(found[a]) & set(found[b]) == set()) == ((a, b) in separated)
    members = {letter: frozenset(n for n in names if letter in found[n]) for letter in "".join(found.values())}
    assert not any(one < other for one in members.values() for other in members.values()), "a letter says nothing new"


def test_there_are_more_than_26_letters() -> None:
    names = [f"row {i:02}" for i in range(30)]
    found = letters(names, list(combinations(names, 2)))
    assert (found["row 00"], found["row 25"], found["row 26"]) == ("a", "z", "a1")


@pytest.mark.parametrize("pairs", [[("x", "z")], [("x", "x")]])
def test_pairs_are_of_two_rows(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(OptionError, match="Pairs of rows"):
        letters(["x", "y"], pairs)
    with pytest.raises(OptionError, match="same name"):
        letters(["x", "x"], [])
