"""The full composition of each run: every value with its source, versions, data, cost and command."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from avelzoo.components import LEAK_NOTE
from avelzoo.reporting.blocks import Block, Cell, DataTable, Panel, number_cell, text_cell
from avelzoo.reporting.runs import ReportRun


def panel(runs: Sequence[ReportRun]) -> Panel:
    """The panel of all runs."""
    return Panel(id="composition", title="Composition", by_run=[_blocks(run) for run in runs])


def _blocks(run: ReportRun) -> list[Block]:
    composition, result = run.stored.composition, run.stored.result
    command = composition.get("command") or []
    blocks = [
        Block(
            heading="Command",
            text=[] if command else ["The run was started from Python, so there is no command line."],
            code=shlex.join(map(str, command)) if command else "",
        ),
        Block(heading="Run", facts=_facts(composition, result)),
        Block(heading="Composition", tables=[_values(composition)]),
    ]
    if terms := composition.get("terms"):
        blocks.append(Block(heading="Loss terms", tables=[_terms(terms)]))
    return blocks


def _facts(composition: Mapping[str, Any], result: Mapping[str, Any]) -> list[tuple[str, str]]:
    memory, gap = result.get("peak_memory_mb"), result.get("optimism_gap")
    protocol = result.get("weak_protocol")
    rows = [
        ("recipe", str(result.get("recipe", composition["recipe"]))),
        ("supervision", str(composition["supervision"]) + (f", weak labels {protocol}" if protocol else "")),
        ("note", LEAK_NOTE if result.get("leaks_duration") else ""),
        ("seed", str(result["seed"])),
        ("epoch", f"{result['best_epoch']} of {result['epochs']}, chosen on val"),
        ("optimism gap", "" if gap is None else f"{100 * gap:.2f} points"),
        ("parameters", f"{result['parameters']:,}"),
        ("time", f"{result['seconds']:,.0f} s, {result['seconds_per_epoch']:.1f} s of training per epoch"),
        ("peak memory", "" if memory is None else f"{memory:,.0f} MiB"),
        ("device", f"{result['device']}, precision {result['precision']}"),
        ("versions", ", ".join(f"{name} {version}" for name, version in result.get("versions", {}).items())),
        *((f"data: {name}", str(value)) for name, value in result["data"].items()),
    ]
    return [(name, value) for name, value in rows if value]


def _values(composition: Mapping[str, Any]) -> DataTable:
    rows = []
    for slot, row in composition["slots"].items():
        component = str(row.get("name", ""))
        if component:
            origin = " ".join(str(row[key]) for key in ("distribution", "version") if row.get(key))
            rows.append([text_cell(slot), Cell(component, code=True), text_cell(""), text_cell(origin)])
        for option, value in row.get("options", {}).items():
            source = str(row.get("sources", {}).get(option, ""))
            rows.append([text_cell(f"{slot}.{option}"), text_cell(""), _value(value), text_cell(source)])
    return DataTable(
        caption="Every component and value, with its source",
        columns=("option", "component", "value", "source"),
        rows=rows,
        behind=False,
    )


def _value(value: Any) -> Cell:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Cell(value if isinstance(value, str) else json.dumps(value), code=True)
    return Cell(f"{value:g}" if isinstance(value, float) else str(value), float(value), code=True)


def _terms(terms: Mapping[str, Mapping[str, Any]]) -> DataTable:
    rows = [
        [
            text_cell(name),
            number_cell(row.get("weight"), 3),
            text_cell("yes" if row.get("trains") else "no"),
            text_cell(row.get("reason", "")),
        ]
        for name, row in terms.items()
    ]
    return DataTable(
        caption="Terms of the loss",
        columns=("term", "weight", "trains", "reason"),
        rows=rows,
        numeric=frozenset((1,)),
        behind=False,
    )
