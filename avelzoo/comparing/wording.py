"""Numbers of a comparison as text."""

from __future__ import annotations

import math
from dataclasses import dataclass

from avelzoo.statistics import Interval


@dataclass(frozen=True)
class Wording:
    """How numbers of a measure are written: fractions in percent with one decimal, seconds with two.

    Attributes:
        unit: ``percent`` or ``seconds``.

    >>> Wording("percent").number(0.9817), Wording("percent").signed(0.012), Wording("seconds").number(0.251)
    ('98.2', '+1.2', '0.25')
    """

    unit: str = "percent"

    @property
    def points(self) -> str:
        """Unit of a difference."""
        return "points" if self.unit == "percent" else self.unit

    def number(self, value: float | None) -> str:
        """A value, or a dash for None and NaN."""
        if value is None or math.isnan(value):
            return "-"
        text = f"{100 * value:.1f}" if self.unit == "percent" else f"{value:.2f}"
        return text.removeprefix("-") if float(text) == 0 else text

    def signed(self, value: float) -> str:
        """A difference with its sign."""
        text = self.number(value)
        return text if text == "-" or text.startswith("-") or float(text) == 0 else f"+{text}"

    def span(self, interval: Interval) -> str:
        """The ends of an interval."""
        return f"{self.number(interval.low)} to {self.number(interval.high)}"

    def signed_span(self, interval: Interval) -> str:
        """The ends of the interval of a difference."""
        return f"{self.signed(interval.low)} to {self.signed(interval.high)}"

    def with_span(self, interval: Interval | None) -> str:
        """A difference and its interval, or a dash."""
        return "-" if interval is None else f"{self.signed(interval.value)} ({self.signed_span(interval)})"


def p_text(p: float) -> str:
    """A p-value with two digits, or a dash for NaN.

    >>> p_text(0.0123), p_text(0.00009)
    ('0.012', '< 0.001')
    """
    if math.isnan(p):
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.2g}"
