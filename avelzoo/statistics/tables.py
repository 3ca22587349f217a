"""Many comparisons at once: adjusted p-values, and letters for rows that cannot be separated."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from avelzoo.errors import OptionError


def holm(ps: Sequence[float]) -> tuple[float, ...]:
    """Holm-adjusted p-values, in the order given; the family-wise error is at most alpha if p < alpha is rejected.

    The i-th smallest of m p-values becomes max over j <= i of min(1, (m - j + 1) p_j) (Holm 1979). NaN stays NaN and
    does not count.

    Args:
        ps: p-values in [0, 1].

    Raises:
        OptionError: a number outside [0, 1].

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    values = np.asarray(ps, dtype=np.float64)
    adjusted = np.full(len(values), np.nan)
    known = np.flatnonzero(~np.isnan(values))
    if ((values[known] < 0) | (values[known] > 1)).any():
        raise OptionError("A p-value is out of range.", where="holm", found=str(list(ps)), expected="0 <= p <= 1")
    order = known[np.argsort(values[known], kind="stable")]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, factors * values[order]))
    return tuple(map(float, adjusted))


def letters(order: Sequence[str], separated: Collection[tuple[str, str]]) -> dict[str, str]:
    """Compact letter display: rows share a letter if, and only if, they are not separated.

    The insert-and-absorb algorithm (Piepho 2004): start with one group of all rows; for each separated pair, split
    every group that holds both in two, each without one of them; drop groups that another one contains.

    Args:
        order: names of the rows, best first; the first group of the best row is ``a``.
        separated: pairs of names whose difference was shown, in either order.

    Returns:
        The letters of each row, such as ``ab``.

    Raises:
        OptionError: a name twice, or an unknown name in a pair.

    >>> letters(["x", "y", "z"], [("x", "z")])
    {'x': 'a', 'y': 'ab', 'z': 'b'}
    """
    rank = {name: i for i, name in enumerate(order)}
    if len(rank) != len(order):
        raise OptionError("A row has the same name as another one.", where="letters", found=", ".join(order))
    unknown = sorted({name for pair in separated for name in pair} - rank.keys())
    if unknown or any(a == b for a, b in separated):
        raise OptionError(
            "Pairs of rows do not fit the rows.",
            where="letters",
            found=", ".join(unknown) or "a row separated from itself",
            expected="two of: " + ", ".join(order),
        )
    groups = [frozenset(range(len(order)))]
    for a, b in sorted({tuple(sorted((rank[x], rank[y]))) for x, y in separated}):
        halves = {half for group in groups for half in ((group - {a}, group - {b}) if {a, b} <= group else (group,))}
        groups = [group for group in halves if not any(group < other for other in halves)]
    ranked = sorted(groups, key=sorted)
    return {name: "".join(_letter(i) for i, group in enumerate(ranked) if rank[name] in group) for name in order}


def _letter(number: int) -> str:
    """a..z, then a1..z1, and so on."""
    turn, place = divmod(number, 26)
    return chr(ord("a") + place) + (str(turn) if turn else "")
