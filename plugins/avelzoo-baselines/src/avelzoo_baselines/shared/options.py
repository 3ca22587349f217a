"""Checks of options that several configs make."""

from __future__ import annotations

from avelzoo import OptionError


def require_divisor(width: int, **heads: int) -> None:
    """Refuse a width that some number of heads does not divide.

    Args:
        width: the option ``width``.
        heads: numbers of heads by the name of their option.

    Raises:
        OptionError: one of them does not divide ``width``.
    """
    for name, count in heads.items():
        if width % count:
            raise OptionError(
                "the encoder's heads do not divide its width",
                where=f"encoder.{name}, encoder.width",
                found=f"{count} heads, width {width}",
                fix="choose a width that is a multiple of the heads",
            )
