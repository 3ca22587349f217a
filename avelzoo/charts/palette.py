"""Colours in light and in dark: text has a contrast of at least 4.5 on its ground, marks have at least 3."""

from __future__ import annotations

COLOURS: dict[str, tuple[str, str]] = {
    "paper": ("#ffffff", "#16191d"),
    "band": ("#f3f4f6", "#20252b"),
    "grid": ("#d8dce1", "#363d46"),
    "muted": ("#5b6470", "#a4adb8"),
    "ink": ("#16191d", "#f0f2f4"),
    "wave": ("#7d8794", "#8f99a6"),
    "relevance": ("#6a4fb3", "#b39df2"),
    "threshold": ("#b3261e", "#ff8a80"),
    "audio": ("#c2570c", "#f5a15c"),
    "visual": ("#0b6fb8", "#6db8f2"),
    "event": ("#0a7a5a", "#35b58d"),
    "on-event": ("#ffffff", "#0a1a14"),
    "series0": ("#0072b2", "#56b4e9"),
    "series1": ("#c24e00", "#f0883e"),
    "series2": ("#00795a", "#2fc09a"),
    "series3": ("#a8437f", "#e08fbe"),
    "series4": ("#8a6100", "#e6b422"),
    "series5": ("#5b3fb0", "#a990f5"),
    "series6": ("#4a5663", "#b6c0cb"),
    "series7": ("#b3261e", "#ff8a80"),
    "heat0": ("#f3f4f6", "#20252b"),
    "heat1": ("#d4dee8", "#313c46"),
    "heat2": ("#b6c8da", "#435361"),
    "heat3": ("#95b0cc", "#566b7e"),
    "heat4": ("#4073a5", "#86aaca"),
    "heat5": ("#245e99", "#96bfe2"),
    "heat6": ("#084a8c", "#a6d4fb"),
    "on-heat": ("#ffffff", "#0d1013"),
}
"""Name of a colour -> in light, in dark. The series' are those of Okabe and Ito, darker or lighter for contrast."""

SERIES = 8
"""Colours of series; further series begin again with another dash."""
DASHES: tuple[tuple[float, ...], ...] = ((), (7, 4), (2, 3), (9, 3, 2, 3))
HEATS, DARK_HEAT = 7, 4
"""Steps of a shade, and the first one that needs the colour ``on-heat`` for its text."""


def series_colour(i: int) -> str:
    """Name of the i-th series' colour."""
    return f"series{i % SERIES}"


def series_dash(i: int) -> tuple[float, ...]:
    """Dash pattern of the i-th series: neighbours differ, so that colour is never all that tells them apart."""
    return DASHES[(i + i // SERIES) % len(DASHES)]


def heat(share: float) -> tuple[str, str]:
    """Names of the colours of a cell and of its text, for a share in [0, 1].

    >>> heat(0.0), heat(1.0)
    (('heat0', 'ink'), ('heat6', 'on-heat'))
    """
    step = min(max(int(share * HEATS), 0), HEATS - 1)
    return f"heat{step}", "on-heat" if step >= DARK_HEAT else "ink"
