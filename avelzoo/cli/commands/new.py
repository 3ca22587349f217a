"""`avelzoo new`: the start of a plugin package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from avelzoo.cli import render


def register(app: typer.Typer, name: str, text: str, argv: Sequence[str]) -> None:
    """Add the command to the application."""
    del argv
    app.command(name, help=text)(new)


def new(
    name: Annotated[str, typer.Argument(help="The component's name, in kebab-case.")],
    kind: Annotated[str, typer.Option(help="encoder, head, memory, objective or dataset.")] = "encoder",
    out: Annotated[Path | None, typer.Option(help="The new folder. [default: avelzoo-NAME]")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write an installable, typed, tested plugin package that passes its own checks."""
    from avelzoo.scaffold import write_package

    folder = write_package(name, kind, out or Path(f"avelzoo-{name}"))
    written = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    if json:
        render.emit_json({"folder": str(folder), "kind": kind, "name": name, "files": written})
        return
    lines = [f"{folder}: the {kind} '{name}'", *(f"  {file}" for file in written)]
    lines += ["next:", f"  pip install -e {folder}", f"  avelzoo check {name}"]
    render.console().print("\n".join(lines))
