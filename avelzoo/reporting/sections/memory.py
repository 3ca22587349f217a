"""The memory: which training segments fill it, and how far prototypes are from each other and from test segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from avelzoo.charts import matrix_chart
from avelzoo.reporting.blocks import Block, Cell, DataTable, Panel, count_cell, number_cell, percent_cell, text_cell
from avelzoo.reporting.drawing import picture
from avelzoo.reporting.runs import ReportRun
from avelzoo.reporting.sections.embedding import Facts, why

FEW = 10
"""Columns of a matrix that narrow screens can show."""


def panel(runs: Sequence[ReportRun], facts: Sequence[Facts]) -> Panel:
    """The panel of all runs."""
    return Panel(id="memory", title="Memory", by_run=[_blocks(r, one) for r, one in zip(runs, facts, strict=True)])


def _blocks(run: ReportRun, facts: Facts) -> list[Block]:
    memory = facts.get("memory")
    if memory is None:
        absent = "model" in facts.get("left_out", {}) or not facts
        reason = why(facts) if absent else "Left out: the system has no memory."
        return [Block(heading="Content of the memory", left_out=reason)]
    names = run.labelled.truth.categories
    return [_content(run, memory, names), _distances(memory, names)]


def _content(run: ReportRun, memory: Mapping[str, Any], names: Sequence[str]) -> Block:
    filled, size = memory["filled"], memory["size"]
    preferences = memory.get("preferences") or {}
    total = f"{len(filled) * size:,} slots are filled ({len(filled)} categories, {size} slots each)"
    text = [f"{memory['name']}: {sum(filled):,} of {total}."]
    slots = memory["slots"]
    if slots is None:
        left_out = f"{text[0]} Left out: this memory does not tell which segments it stores."
        return Block(heading="Content of the memory", left_out=left_out)
    known = [slot for slot in slots if slot[5] is not None]
    events = sum(1 for slot in known if slot[5])
    if known:
        text.append(f"{events:,} of the stored segments are labelled as events, {len(known) - events:,} as background.")
    scores: list[list[float | None]] = [[None] * size for _ in names]
    for category, slot, _, _, score, _ in slots:
        scores[category][slot] = score
    videos = {k: {slot[2] for slot in slots if slot[0] == k} for k in range(len(names))}
    draw = partial(
        matrix_chart,
        scores,
        names,
        [str(i + 1) for i in range(size)],
        title="Score of the segment in each slot",
        description=" ".join(text),
        row_title="category",
        column_title="slot, best first",
        low=min((slot[4] for slot in slots), default=0.0),
        written=lambda value: f"{value:.2f}",
    )
    seconds = run.labelled.truth.seconds_per_segment
    listed = DataTable(
        caption="Stored training segments",
        columns=("category", "slot", "video", "second", "score", "label"),
        rows=[
            [
                text_cell(names[category]),
                count_cell(slot + 1),
                Cell(video, code=True),
                number_cell(seconds * segment, 0 if float(seconds).is_integer() else 2),
                number_cell(score, 3),
                text_cell({True: "event", False: "background", None: "unknown"}[event]),
            ]
            for category, slot, video, segment, score, event in slots
        ],
        numeric=frozenset((1, 3, 4)),
    )
    columns = ["category", "slots filled", "videos", *(["sound preference %"] if preferences else [])]
    summary = DataTable(
        caption="Content by category",
        columns=columns,
        rows=[
            [
                text_cell(name),
                count_cell(filled[k]),
                count_cell(len(videos[k])),
                *([percent_cell(preferences.get(name), 0)] if preferences else []),
            ]
            for k, name in enumerate(names)
        ],
        numeric=frozenset(range(1, len(columns))),
        behind=False,
        note="Sound preference: share of sound in what makes the stored segments events (X-ray)."
        if preferences
        else "",
    )
    return Block(
        heading="Content of the memory",
        text=text,
        picture=picture(lambda width: draw(width=width), narrow=size <= FEW),
        tables=[listed, summary],
    )


def _distances(memory: Mapping[str, Any], names: Sequence[str]) -> Block:
    distances, margin = memory["distances"], memory.get("margin")
    text = [
        "Distances between prototypes, the means of each category's slots"
        + (f", times {memory['scale']:.4g}" if memory["scale"] != 1 else "")
        + ("." if margin is None else f". The margin of an event is {margin:g}.")
    ]
    closest = min(
        ((d, i, j) for i, row in enumerate(distances) for j, d in enumerate(row) if i < j and d is not None),
        default=None,
    )
    if closest is not None:
        text.append(f"Closest: {names[closest[1]]} and {names[closest[2]]}, {closest[0]:.2f}.")
    draw = partial(
        matrix_chart,
        distances,
        names,
        names,
        title="Distance between prototypes",
        description=" ".join(text),
        low=0.0,
        written=lambda value: f"{value:.2f}" if len(names) <= FEW else f"{value:.1f}",
    )
    tables = [
        DataTable(
            caption="Distance between prototypes",
            columns=("category", *names),
            rows=[
                [text_cell(name), *(number_cell(d, 3) for d in row)] for name, row in zip(names, distances, strict=True)
            ],
            numeric=frozenset(range(1, len(names) + 1)),
        )
    ]
    if reach := memory.get("reach"):
        tables.append(_reach(reach, names))
    return Block(
        heading="Distances of prototypes",
        text=text,
        picture=picture(lambda width: draw(width=width), narrow=len(names) <= FEW),
        tables=tables,
    )


def _reach(reach: Sequence[Sequence[float | None]], names: Sequence[str]) -> DataTable:
    return DataTable(
        caption="Mean distance of test segments to prototypes",
        columns=("category", "event, to its own", "background, to its own", "event, to the nearest other"),
        rows=[[text_cell(name), *(number_cell(d, 3) for d in row)] for name, row in zip(names, reach, strict=True)],
        numeric=frozenset((1, 2, 3)),
        behind=False,
    )
