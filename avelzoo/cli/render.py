"""What commands print: JSON for programs, rich tables for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from avelzoo.errors import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from avelzoo.composition.building import TermState
    from avelzoo.composition.resolving import Composition
    from avelzoo.plugin.papers import Paper

PIPE_WIDTH = 120
"""Columns of output that no terminal shows, unless COLUMNS says otherwise."""


@dataclass
class JsonDocument:
    """What a command prints as JSON; a later document replaces an earlier one, so that there is one."""

    text: str = ""


_documents: list[JsonDocument] = []


@contextmanager
def json_document() -> Iterator[JsonDocument]:
    """Collect what `emit_json` is given meanwhile, instead of printing it."""
    _documents.append(JsonDocument())
    try:
        yield _documents[-1]
    finally:
        _documents.pop()


def emit_json(data: Any) -> None:
    """Print plain data as the JSON document of this command."""
    text = json.dumps(data, indent=2) + "\n"
    if _documents:
        _documents[-1].text = text
    else:
        sys.stdout.write(text)


def console(*, stderr: bool = False) -> Console:
    """A console for people; on stderr when stdout belongs to a program."""
    return console_on(sys.stderr if stderr else sys.stdout)


def console_on(stream: TextIO) -> Console:
    """A console that shows control characters in plain text as escapes."""
    from rich.console import Console

    class PlainConsole(Console):
        def print(self, *objects: Any, **how: Any) -> None:
            super().print(*(visible(o) if isinstance(o, str) else o for o in objects), **how)

    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return PlainConsole(file=stream, width=width, highlight=False, markup=False, emoji=False)


def visible(text: str) -> str:
    """Text of one or more lines in which every character is seen."""
    return "\n".join(map(printable, text.split("\n")))


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
        grid.add_row(*map(visible, row))
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
            grid.add_row(visible(label), visible(value))
    return grid
