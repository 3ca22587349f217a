"""`avelzoo doctor`: examination of this installation."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avelzoo.cli import render

if TYPE_CHECKING:
    from avelzoo.doctor.findings import Examination

STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def doctor(
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Data folder to examine, by samples.")] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help=r"Data set of the folder. \[default: AVE's layout]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Examine environment, devices, plugins, weights, extras; exit code 1 if there is a problem.

    Changes nothing and uses no network. `avelzoo data doctor DIR` examines every number of a data folder.
    """
    from avelzoo.doctor.examining import examine

    found = examine(data, dataset)
    if json:
        render.emit_json(found.to_dict())
    else:
        _print(found)
    if not found.ok:
        raise typer.Exit(1)


def _print(found: Examination) -> None:
    from rich.table import Table
    from rich.text import Text

    out = render.console()
    width = max(len(render.visible(finding.name)) for finding in found.findings)
    for section, findings in groupby(found.findings, lambda finding: finding.section):
        out.print(f"\n{section}")
        grid = Table.grid(padding=(0, 2))
        grid.add_column(width=9)
        grid.add_column(width=min(width, 24), overflow="fold")
        grid.add_column(overflow="fold")
        for finding in findings:
            text = render.visible(finding.text) + (
                f"\nwhat to do: {render.visible(finding.fix)}" if finding.fix else ""
            )
            grid.add_row(Text(f"  {finding.level}", STYLES[finding.level]), render.visible(finding.name), Text(text))
        out.print(grid)
    problems, warnings = found.count("problem"), found.count("warning")
    out.print(f"\n{_count(problems, 'problem')}, {_count(warnings, 'warning')}")


def _count(n: int, noun: str) -> str:
    return f"{n or 'no'} {noun}{'' if n == 1 else 's'}"
