"""What commands print: JSON for programs, rich tables for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from avelzoo.compose import TermState
    from avelzoo.composition import Composition
    from avelzoo.papers import Paper

PIPE_WIDTH = 120
"""Columns of output that no terminal shows, unless COLUMNS says otherwise."""


def emit_json(data: Any) -> None:
    """Write plain data to stdout, and nothing else."""
    sys.stdout.write(json.dumps(data, indent=2) + "\n")


def console(*, stderr: bool = False) -> Console:
    """A console for people; on stderr when stdout belongs to a program."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "", right: Sequence[str] = ()
) -> Table:
    """A light table; the first column keeps its words whole."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    grid = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        grid.add_column(
            column,
            style="cyan" if i == 0 else None,
            no_wrap=i == 0,
            overflow="fold",
            justify="right" if column in right else "left",
        )
    for row in rows:
        grid.add_row(*row)
    return grid


def composition_table(composition: Composition) -> Table:
    """Every value of a composition, with its source."""
    from avelzoo.cli.options import as_text

    rows: list[tuple[str, str, str]] = []
    for slot, part in composition.to_dict()["slots"].items():
        rows.append((slot, str(part.get("name", "")), ""))
        rows += [(f"  {slot}.{k}", as_text(v), part["sources"][k]) for k, v in part["options"].items()]
    recipe = composition.recipe
    return table(
        ("option", "value", "source"), rows, title=f"{composition.owner.qualified}, {recipe.supervision} supervision"
    )


def terms_table(states: Sequence[TermState]) -> Table:
    """Every loss term, whether it trains, and from what or why not."""
    rows = [
        (state.name, f"{state.weight:g}", "yes" if state.trains else "no", state.reason or ", ".join(state.given_by))
        for state in states
    ]
    return table(("loss term", "weight", "trains", "input from, or why not"), rows, right=("weight",))


def terms_lines(states: Sequence[TermState]) -> dict[str, str]:
    """The same in two lines, for `fields`."""
    return {
        "loss terms": ", ".join(f"{state.name} x {state.weight:g}" for state in states if state.trains),
        "not trained": "; ".join(f"{state.name}: {state.reason}" for state in states if not state.trains),
    }


def citation(papers: Mapping[str, Paper], key: str) -> str:
    """The citation behind a paper's key; the key itself where nobody registered one."""
    paper = papers.get(key)
    if paper is None:
        return key
    return f"{paper}, code: github.com/{paper.code}" if paper.code else str(paper)


def percent(value: Any) -> str:
    """A fraction in percent, or a dash where there is none."""
    return f"{100 * value:.1f}" if isinstance(value, int | float) and value == value else "-"  # noqa: PLR0124 - NaN


def fields(pairs: Mapping[str, str]) -> Table:
    """A line for each pair, empty values left out."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in pairs.items():
        if value:
            grid.add_row(label, value)
    return grid
