"""Printed accuracies: which k of N give them, checked by hand and against a naive loop."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings, strategies as st

from avelzoo.auditing.claims import parse_claim, prints_as, reach
from avelzoo.errors import OptionError


@pytest.mark.parametrize(
    ("text", "percent", "decimals"),
    [
        ("80.8", "80.8", 1),
        ("80.80", "80.80", 2),
        (" 80.8 % ", "80.8", 1),
        ("81", "81", 0),
        ("0.808", "80.8", 1),
        ("0.80796", "80.796", 3),
        ("1.0", "100", 0),
        ("0.5 %", "0.5", 1),
        ("0", "0", 0),
        ("100", "100", 0),
    ],
)
def test_figures(text: str, percent: str, decimals: int) -> None:
    assert parse_claim(text) == (Decimal(percent), decimals)


@pytest.mark.parametrize("text", ["", "high", "-1", "100.1", "80,8", "nan", "1e2", "80.8.1", "8080", "\u0668\u0660"])
def test_no_figures(text: str) -> None:
    with pytest.raises(OptionError, match="not an accuracy"):
        parse_claim(text)


def test_known_figures() -> None:
    """3248 / 4020 = 80.79602 %. 3303 / 4020 = 82.16418 %, 3304 / 4020 = 82.18905 %: 82.19 by rounding, 82.18 if cut."""

    def of(text: str, total: int = 4020) -> tuple[object, object]:
        found = reach(*parse_claim(text), {"segments": total})[0]
        return found.rounded, found.cut

    assert of("80.796") == ((3248, 3248), (3248, 3248))
    assert of("82.18") == (None, (3304, 3304))
    assert of("82.19") == ((3304, 3304), None)
    assert of("82.2") == ((3303, 3306), (3305, 3308))
    assert of("82.18", 3940) == ((3238, 3238), (3238, 3238))  # 82.18274 %
    assert of("100") == ((4000, 4020), (4020, 4020))  # 4000 / 4020 = 99.5 %
    assert of("0") == ((0, 20), (0, 40))  # 20 / 4020 = 0.4975 %, 40 / 4020 = 0.995 %
    assert of("33.3", 2) == (None, None)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.integers(0, 400), st.integers(0, 2))
def test_against_a_loop(total: int, right: int, decimals: int) -> None:
    unit = Decimal(1).scaleb(-decimals)
    percent = (Decimal(100 * min(right, total)) / total).quantize(unit, rounding=ROUND_HALF_UP)
    found = reach(percent, decimals, {"segments": total})[0]
    exact = {k: Decimal(100 * k) / total for k in range(total + 1)}
    ways = (ROUND_HALF_UP, ROUND_HALF_DOWN)
    rounded = [k for k, value in exact.items() if any(value.quantize(unit, rounding=way) == percent for way in ways)]
    cut = [k for k, value in exact.items() if value.quantize(unit, rounding=ROUND_DOWN) == percent]
    assert found.rounded == ((rounded[0], rounded[-1]) if rounded else None)
    assert found.cut == ((cut[0], cut[-1]) if cut else None)
    assert prints_as(min(right, total), total, percent, decimals)
