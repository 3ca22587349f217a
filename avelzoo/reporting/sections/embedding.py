"""The embedding: a map of fused test features, and whether neighbours agree in the full space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from avelzoo.reporting.blocks import Block, DataTable, Panel, count_cell, percent, percent_cell, text_cell
from avelzoo.reporting.drawing import picture
from avelzoo.reporting.map import map_chart
from avelzoo.reporting.runs import ReportRun
from avelzoo.reporting.sections.confusion import BACKGROUND

Facts = Mapping[str, Any]


def panel(runs: Sequence[ReportRun], facts: Sequence[Facts]) -> Panel:
    """The panel of all runs."""
    return Panel(
        id="embedding",
        title="Embedding",
        by_run=[[_block(run, one)] for run, one in zip(runs, facts, strict=True)],
    )


def _block(run: ReportRun, facts: Facts) -> Block:
    heading = "Map of fused test features"
    found = facts.get("map")
    if found is None:
        return Block(heading=heading, left_out=why(facts))
    truth, ids = run.labelled.truth, run.labelled.video_ids
    names = truth.categories
    seconds = truth.seconds_per_segment
    spots = [
        (x, y, k, event, _told(names, k, event, str(ids[video]), seconds * segment))
        for x, y, k, event, video, segment in found["points"]
    ]
    shown = len(found["points"])
    some = "" if shown == found["of"] else f" {shown:,} of {found['of']:,} segments, evenly spaced, are shown."
    same = _mean(found["neighbours"], 2)
    method = (
        f"{found['words']}.{some} Colours repeat after eight categories; names stand at the median of a category's"
        " events."
        + (" Distances between far points of such a map have no meaning." if "t-SNE" in found["words"] else "")
    )
    nearest = (
        f"In the full space, the nearest neighbour of a segment has its video's category in {percent(same)} of cases."
    )
    text = [method, nearest]
    draw = partial(map_chart, spots, names, title="", description=" ".join(text))
    rows = [
        [text_cell(name), count_cell(count - events), count_cell(events), percent_cell(same), percent_cell(kind)]
        for name, (count, events, same, kind) in zip(
            [*names, "videos without an event"], found["neighbours"], strict=True
        )
        if count
    ]
    table = DataTable(
        caption="Segments on the map by category, and their nearest neighbours in the full space",
        columns=("category", BACKGROUND, "event", "neighbour of its category %", "neighbour of its kind %"),
        rows=rows,
        numeric=frozenset((1, 2, 3, 4)),
        note="Kind: event or background.",
    )
    return Block(
        heading=heading,
        text=text,
        picture=picture(lambda width: draw(width=width)),
        tables=[table],
        part="map",
    )


def why(facts: Facts) -> str:
    """The reason why facts of the model are missing, as a sentence."""
    left_out = facts.get("left_out", {})
    reason = left_out.get("model") or left_out.get("data") or "the model was not read"
    return f"Left out: {reason}."


def _told(names: Sequence[str], category: int, event: bool, video: str, second: float) -> str:
    name = names[category] if category < len(names) else "no event"
    return f"{name} · {'event' if event else BACKGROUND} · {video} at {second:g} s"


def _mean(rows: Sequence[Sequence[float | None]], column: int) -> float | None:
    known = [(row[0] or 0, row[column]) for row in rows if row[column] is not None]
    total = sum(count for count, _ in known)
    return sum(count * (share or 0) for count, share in known) / total if total else None
