"""The paired comparison of systems: differences with intervals and tests, and scores by group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from avelzoo.charts import IntervalRow, Reference, interval_chart
from avelzoo.comparing import Comparison
from avelzoo.comparing.comparison import Pair
from avelzoo.comparing.presenting import separated_note
from avelzoo.comparing.wording import p_text
from avelzoo.errors import some
from avelzoo.reporting.blocks import (
    Block,
    Cell,
    DataTable,
    Panel,
    count_cell,
    interval_cell,
    number_cell,
    percent_cell,
    sentence_case,
    text_cell,
)
from avelzoo.reporting.drawing import picture

DRAWN = 30
"""Differences in the chart; the table has all."""


def panel(comparisons: Sequence[Comparison]) -> Panel:
    """The panel; empty with a reason if there is nothing to compare."""
    blocks = [block for one in comparisons if len(one.rows) > 1 for block in _blocks(one)]
    if not blocks:
        reason = "Left out: a comparison needs two systems on the same videos."
        blocks = [Block(heading="Paired comparison", left_out=reason)]
    return Panel(id="comparison", title="Comparison", shared=blocks)


def _blocks(found: Comparison) -> list[Block]:
    best = found.rows[0].name
    against = [pair for pair in found.pairs if best in (pair.first, pair.second)][:DRAWN]
    words = (
        f"Every pair of systems on the same {found.videos:,} videos, in points of {found.title}: the interval resamples"
        " videos (and runs where there are several); p swaps whole videos between the systems, and adjusted p is Holm's"
        f" for {len(found.pairs):,} pair{'s' * (len(found.pairs) != 1)}."
    )
    text = [words]
    if found.single_runs:
        text.append(f"One run only: {some(found.single_runs)}. The noise of training is not covered there.")
    draw = partial(
        interval_chart,
        [_row(pair, best) for pair in against],
        title=f"Difference to {best}, points",
        description=" ".join(text),
        floors=[Reference("no difference", 0.0)],
        unit="points",
    )
    blocks = [
        Block(
            heading="Paired comparison",
            text=text,
            picture=picture(lambda width: draw(width=width)),
            tables=[_pairs(found)],
        )
    ]
    return [*blocks, _groups(found)] if found.groups else blocks


def _row(pair: Pair, best: str) -> IntervalRow:
    sign = -100 if pair.first == best else 100
    other = pair.second if pair.first == best else pair.first
    low, high = sorted((sign * pair.difference.low, sign * pair.difference.high))
    note = "separated" if pair.separated else "open"
    return IntervalRow(other, round(sign * pair.difference.value, 2), round(low, 2), round(high, 2), note=note)


def _pairs(found: Comparison) -> DataTable:
    rows = [
        [
            text_cell(f"{pair.first} - {pair.second}"),
            _points(pair.difference.value),
            interval_cell(pair.difference, 2, signed=True),
            _p(pair.p),
            _p(pair.adjusted_p),
            number_cell(pair.effect_size, 2),
            number_cell(None if pair.minimum_detectable is None else 100 * pair.minimum_detectable, 2),
            text_cell(_verdict(pair)),
        ]
        for pair in found.pairs
    ]
    return DataTable(
        caption="Differences between systems, in points",
        columns=("pair", "difference", "interval", "p", "adjusted p", "effect size", "detectable", "verdict"),
        rows=rows,
        numeric=frozenset(range(1, 7)),
        behind=False,
        note=f"Interval: {100 * found.level:g} %. {separated_note(found)}"
        f" Practically equal: the interval lies within ±{100 * found.margin:g} points."
        " Detectable: the smallest difference that a test on these videos shows in 80 % of cases.",
    )


def _verdict(pair: Pair) -> str:
    words = [*(["separated"] if pair.separated else []), *(["practically equal"] if pair.practically_equal else [])]
    return ", ".join(words) or "not separated"


def _points(value: float) -> Cell:
    cell = number_cell(value, 2, scale=100)
    return Cell(f"+{cell.text}", cell.key) if value > 0 else cell


def _p(value: float) -> Cell:
    return Cell(p_text(value), None if math.isnan(value) else value)


def _groups(found: Comparison) -> Block:
    rows = [
        [
            text_cell(group.name),
            count_cell(group.videos),
            text_cell(row.name),
            percent_cell(row.mean),
            interval_cell(row.interval),
            percent_cell(row.floors.own_category if row.floors else None),
        ]
        for group in found.groups
        for row in group.rows
    ]
    table = DataTable(
        caption=f"{sentence_case(found.title)} by group of videos, in percent",
        columns=("group", "videos", "system", found.title, "interval", "floor: own category"),
        rows=rows,
        numeric=frozenset((1, 3, 4, 5)),
        behind=False,
    )
    return Block(heading="Groups of videos", text=["There are no tests within groups."], tables=[table])
