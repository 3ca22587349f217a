"""`avelzoo import-checkpoint`: conversion of a published system's checkpoint to a run folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avelzoo.cli import catalogue, render
from avelzoo.errors import some

if TYPE_CHECKING:
    from avelzoo.published.importing import ImportedCheckpoint


def register(app: typer.Typer, name: str, text: str, argv: Sequence[str]) -> None:
    """Add the command to the application."""
    more = f"\n\n{_checkpoints()}" if {"--help", "-h"} & set(argv) else ""
    app.command(name, help=(text + more).replace("[", r"\["))(import_checkpoint)


def _checkpoints() -> str:
    """List where the registered systems' checkpoints are published."""
    from avelzoo.plugin.default import default_host

    lines = []
    for entry in default_host().registry.entries("published-code"):
        checkpoints = [catalogue.checkpoint_text(found) for found in catalogue.row(entry)["checkpoints"]]
        lines += [f"  {entry.name:<12} {text}" for text in checkpoints or ["none known"]]
    return "Published checkpoints (avelzoo downloads nothing):\n" + "\n".join(lines)


def import_checkpoint(
    system: Annotated[str, typer.Argument(help="Published system; `avelzoo list published-code` names them.")],
    file: Annotated[Path, typer.Argument(help="Checkpoint written by torch.save or safetensors; any file name.")],
    setting: Annotated[str, typer.Option(metavar="full|weak", help="Setting of its training.")] = "full",
    key: Annotated[
        str | None, typer.Option(metavar="NAME", help=r"Entry with the weights, such as ema. \[default: searched]")
    ] = None,
    out: Annotated[Path | None, typer.Option(help=r"Run folder. \[default: runs/SYSTEM-SETTING-FILE]")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Convert a published system's checkpoint to a run folder. Nothing in the file is executed."""
    from avelzoo.published import importing

    made = importing.import_checkpoint(system, file, setting=setting, out=out, key=key)
    if json:
        render.emit_json(asdict(made))
        return
    render.console().print(render.fields(_rows(made, file)))


def _rows(made: ImportedCheckpoint, file: Path) -> dict[str, str]:
    rows = {
        "run folder": made.run_dir,
        "recipe": f"{made.recipe}, {made.setting}",
        "holds": f"{made.parameters} parameters, from {made.entries} entries of {file}",
        "found under": f"'{made.key}'" if made.key else "",
        "names without": f"'{made.prefix}'" if made.prefix else "",
        "rounded": ", ".join(f"{count} entries from {dtype} to float32" for dtype, count in made.rounded.items()),
        "not taken": some(made.not_taken),
        "kept inert": some(made.inert),
        "next": f"avelzoo evaluate {made.run_dir} --data DIR",
    }
    return {label: text for label, text in rows.items() if text}
