"""`avelzoo import-checkpoint`: a run folder from a published system's checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from avelzoo.cli import catalogue, render


def register(app: typer.Typer, name: str, text: str, argv: Sequence[str]) -> None:
    """Add the command to the application."""
    more = f"\n\n{_checkpoints()}" if {"--help", "-h"} & set(argv) else ""
    app.command(name, help=(text + more).replace("[", r"\["))(import_checkpoint)


def _checkpoints() -> str:
    """Where the registered systems' checkpoints are published."""
    from avelzoo.host import default_host

    lines = []
    for entry in default_host().registry.entries("official"):
        told = [catalogue.checkpoint_text(found) for found in catalogue.row(entry)["checkpoints"]]
        lines += [f"  {entry.name:<12} {text}" for text in told or ["none known"]]
    return "Published checkpoints (avelzoo downloads nothing):\n" + "\n".join(lines)


def import_checkpoint(
    system: Annotated[str, typer.Argument(help="The system it belongs to; `avelzoo list officials` names them.")],
    file: Annotated[Path, typer.Argument(help="A state dict that torch.save or safetensors wrote.")],
    setting: Annotated[str, typer.Option(metavar="full|weak", help="The setting it was trained in.")] = "full",
    out: Annotated[Path | None, typer.Option(help="Run folder. [default: runs/SYSTEM-SETTING-FILE]")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a run folder of a published system's checkpoint. Nothing in the file is executed."""
    from avelzoo import engine
    from avelzoo.api import compose
    from avelzoo.host import default_host
    from avelzoo.interop import clean_state, official_system, read_state_dict

    host = default_host()
    adapter = official_system(system, setting, host)
    state = clean_state(read_state_dict(file))
    recipe = adapter.recipe(setting, state)
    spec = adapter.spec(setting, state)
    model = adapter.load(setting, state)
    composition = compose(recipe, host.registry, [])
    composition = replace(composition, sources=dict.fromkeys(composition.sources, f"checkpoint {file.name}"))
    folder = out or Path("runs") / f"{system.replace('/', '-')}-{setting}-{file.stem}"
    origin = {"system": system, "setting": setting, "file": file.name, "sha256": _sha256(file)}
    engine.save_import(folder, composition, spec, model, origin)
    name = composition.owner.qualified
    parameters = sum(p.numel() for p in model.parameters())
    if json:
        told = {"run_dir": str(folder), "recipe": name, "parameters": parameters, "entries": len(state)}
        render.emit_json(told | origin)
        return
    lines = {
        "run folder": str(folder),
        "recipe": f"{name}, {setting}",
        "holds": f"{parameters} parameters, from {len(state)} entries of {file}",
        "next": f"avelzoo evaluate {folder} --data DIR",
    }
    render.console().print(render.fields(lines))


def _sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
