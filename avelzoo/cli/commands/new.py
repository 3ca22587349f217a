"""`avelzoo new`: the skeleton of a plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avelzoo import scaffold
from avelzoo.cli import completing, render
from avelzoo.errors import UsageError


def new(
    name: Annotated[
        str | None, typer.Argument(help=r"Component name in kebab-case. \[default: name of --file]")
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            help="Kind of component; any but launcher and format.", autocompletion=completing.words_of(*scaffold.KINDS)
        ),
    ] = "encoder",
    out: Annotated[Path | None, typer.Option(help=r"New folder. \[default: avelzoo-NAME]")] = None,
    file: Annotated[Path | None, typer.Option(help="Write one Python file instead, such as idea.py.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write an installable, typed, tested plugin package or a single file; its checks pass."""
    if file is not None and out is not None:
        raise UsageError("--file and --out exclude each other", fix="remove one of them")
    name = name or (file.stem.replace("_", "-").lower() if file is not None else None)
    if name is None:
        raise UsageError("no name given", fix="for example `avelzoo new conv-mix`, or `avelzoo new --file idea.py`")
    if file is not None:
        folder, written = scaffold.write_file(name, kind, file).parent, [file.name]
        following = [f"avelzoo --plugin {file} check {name}"]
    else:
        folder = scaffold.write_package(name, kind, out or Path(f"avelzoo-{name}"))
        written = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        following = [f"pip install -e {folder}", f"avelzoo check {name}"]
    if json:
        render.emit_json({"folder": str(folder), "kind": kind, "name": name, "files": written})
        return
    lines = [f"{folder}: the {kind} '{name}'", *(f"  {path}" for path in written), "next:"]
    render.console().print("\n".join([*lines, *(f"  {command}" for command in following)]))
