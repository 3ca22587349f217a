"""A printed accuracy: which numbers of correct segments give it, and whether any does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

from avelzoo.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Numbers of correct segments k of N that print as the claimed figure.

    Attributes:
        name: what N counts.
        total: N.
        rounded: (first, last) k that gives the figure by rounding; None if none does.
        cut: (first, last) k that gives it by cutting digits; None if none does.
    """

    name: str
    total: int
    rounded: tuple[int, int] | None
    cut: tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claimed figure.

    Attributes:
        text: as printed.
        percent: its value in percent.
        decimals: printed decimals, of percent.
        reach: by N.
        inside: whether it lies inside the interval of the file's score; None without a file.
        prints: whether the file's own score prints as the claimed figure; None without a file.
    """

    text: str
    percent: float
    decimals: int
    reach: tuple[Reach, ...]
    inside: bool | None = None
    prints: bool | None = None


def parse_claim(text: str) -> tuple[Decimal, int]:
    """Percent and decimals of a figure such as ``80.8``, ``80.8 %`` or ``0.808``.

    A number of 1 or less is a fraction.

    Raises:
        OptionError: the text is no percentage.

    >>> parse_claim("80.8"), parse_claim("0.808")
    ((Decimal('80.8'), 1), (Decimal('80.8'), 1))
    """
    match = re.fullmatch(r"\s*([0-9]{1,3}(?:\.[0-9]{1,8})?)\s*(%?)\s*", text, re.ASCII)
    value = Decimal(match[1]) if match else Decimal(-1)
    decimals = max(0, -int(value.as_tuple().exponent))
    if match and not match[2] and value <= 1 and decimals:
        value, decimals = value * 100, max(0, decimals - 2)
    if not 0 <= value <= 100:
        raise OptionError(
            f"'{text}' is not an accuracy", where="--claim", expected="percent, such as 80.8, or a fraction of 1"
        )
    return value, decimals


def reach(percent: Decimal, decimals: int, totals: Mapping[str, int]) -> tuple[Reach, ...]:
    """Numbers k that print as ``percent``, for every N in ``totals``.

    Rounding accepts both directions at a half: 100 k / N within half a unit of the last printed digit. Cutting accepts
    100 k / N from the figure up to one unit above it.

    >>> reach(Decimal("80.796"), 3, {"segments": 4020})[0].rounded
    (3248, 3248)
    """
    unit = Fraction(1, 10**decimals)
    value = Fraction(percent)
    found = []
    for name, total in totals.items():
        low, high = (value - unit / 2) * total / 100, (value + unit / 2) * total / 100
        rounded = _between(-(-low.numerator // low.denominator), high.numerator // high.denominator, total)
        start, stop = value * total / 100, (value + unit) * total / 100
        cut = _between(-(-start.numerator // start.denominator), -(-stop.numerator // stop.denominator) - 1, total)
        found.append(Reach(name=name, total=total, rounded=rounded, cut=cut))
    return tuple(found)


def prints_as(right: int, total: int, percent: Decimal, decimals: int) -> bool:
    """Whether right / total in percent, rounded at a half up or to even, is the printed figure."""
    exact = Decimal(100 * right) / Decimal(total)
    unit = Decimal(1).scaleb(-decimals)
    return any(exact.quantize(unit, rounding=rule) == percent for rule in (ROUND_HALF_UP, ROUND_HALF_EVEN))


def _between(first: int, last: int, total: int) -> tuple[int, int] | None:
    first, last = max(first, 0), min(last, total)
    return (first, last) if first <= last else None
