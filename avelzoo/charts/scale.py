"""From values to pixels: finite numbers, round ticks, axes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


def finite(value: float | None) -> float | None:
    """The value as a float, or None if it is missing, NaN or infinite."""
    return None if value is None or not math.isfinite(value) else float(value)


def extent(values: Iterable[float | None], *, pad: float = 0.06) -> tuple[float, float]:
    """Smallest and largest finite value with a margin; of equal or no values, an interval around them.

    >>> extent([1.0, None, 3.0], pad=0.5)
    (0.0, 4.0)
    """
    found = [number for value in values if (number := finite(value)) is not None]
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    margin = (high - low) * pad
    if not margin > abs(high) * 1e-9:
        margin = max(abs(high) * 0.1, 1e-6) if high else 1.0
    return low - margin, high + margin


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers in [low, high], about ``most`` of them, at least two.

    >>> ticks(0, 1, 5), ticks(71.3, 84.9, 3)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [75.0, 80.0])
    """
    raw = (high - low) / max(most, 1)
    if not raw > 0 or not math.isfinite(raw):
        return [low]
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    digits = max(0, 1 - math.floor(math.log10(step)))
    found = [round(i * step, digits) + 0.0 for i in range(first, last + 1)]
    return found if len(found) > 1 or most > 50 else ticks(low, high, 2 * most)


def number(value: float) -> str:
    """A tick's text.

    >>> number(80.0), number(0.25), number(20000.0), number(1250000.0)
    ('80', '0.25', '20k', '1.25M')
    """
    for size, sign in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if sign == 'k' else size):.4g}{sign}"
    return f"{value:.6g}" if abs(value) >= 1e-4 or not value else f"{value:.2g}"


def rounded(value: float, span: float) -> str:
    """A value's text with three digits of the span that it is seen in.

    >>> rounded(19.3333, 40), rounded(0.1234567, 0.05)
    ('19.3', '0.1235')
    """
    return number(round(value, 2 - math.floor(math.log10(span))) + 0.0 if span > 0 else value)


@dataclass(frozen=True)
class Axis:
    """A linear or logarithmic axis.

    Attributes:
        low: value at ``start``.
        high: value at ``end``.
        start: pixel of ``low``.
        end: pixel of ``high``.
        log: equal distances are equal ratios.
        marks: values to label, such as those that were measured; round values if empty or too many.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    marks: tuple[float, ...] = ()

    def __call__(self, value: float) -> float:
        """Pixel of a value, kept within the axis."""
        low, high, value = map(self._place, (self.low, self.high, value))
        share = (value - low) / (high - low) if high > low else 0.5
        return self.start + (self.end - self.start) * min(max(share, 0.0), 1.0)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values on the axis: powers of ten, with 2 and 5 where these are few, on a logarithmic one."""
        if self.marks and len(self.marks) <= most:
            return list(self.marks)
        if not self.log:
            return ticks(self.low, self.high, most)
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for factors in ((1, 2, 5), (1,)):
            found = [f * 10.0**p for p in powers for f in factors if self.low <= f * 10.0**p <= self.high * (1 + 1e-9)]
            if len(found) <= most + 1:
                return found
        return found[:: math.ceil(len(found) / most)]

    def _place(self, value: float) -> float:
        return math.log10(max(value, 1e-300)) if self.log else value
