"""A run as the command line does it: where it goes, what is shown meanwhile, what is printed at the end."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from avelzoo.cli import render
from avelzoo.cli.failures import StoppedError
from avelzoo.composition import Composition, from_dict
from avelzoo.errors import RunError, UsageError
from avelzoo.registry import Registry

RUNS = Path("runs")
"""Where runs go that nobody gave a place."""


@dataclass(frozen=True)
class RunSettings:
    """How to run, apart from what.

    Attributes:
        out: the run folder; None for a new one.
        resume: go on with what is in it.
        device: ``auto``, ``cpu`` or ``cuda``.
        json: print the result as JSON on stdout, and everything for people on stderr.
        quiet: no progress and no table.
    """

    out: Path | None
    resume: bool
    device: str
    json: bool
    quiet: bool


def reopen(registry: Registry, folder: str | None, how: RunSettings) -> tuple[Composition, RunSettings]:
    """The composition of a run that is to go on.

    Raises:
        UsageError: no folder was named.
        RunError: it is not a run folder.
    """
    if folder is None:
        raise UsageError("which run is to go on?", fix="name its folder: `avelzoo run --resume RUN_DIR`")
    path = Path(folder)
    data = read_json(path, "composition.json")
    try:
        return from_dict(registry, data), replace(how, out=path)
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError("the run's composition is incomplete", where=str(path / "composition.json")) from error


def execute(registry: Registry, composition: Composition, how: RunSettings) -> None:
    """Train, evaluate, print."""
    from avelzoo import engine
    from avelzoo.compose import check

    check(composition.recipe, registry)
    folder = how.out or _new_folder(composition)
    try:
        engine.run(
            composition,
            folder,
            registry=registry,
            resume=how.resume,
            device=how.device,
            command=sys.argv,
            progress=not how.quiet,
        )
    except KeyboardInterrupt:
        raise StoppedError("the run was interrupted", where=str(folder), fix=f"avelzoo run --resume {folder}") from None
    result = read_json(folder, "result.json")
    if how.json:
        render.emit_json(result)
    if not how.quiet:
        print_result(result, stderr=how.json)


def print_result(result: Mapping[str, Any], *, stderr: bool) -> None:
    """The table for people, and where everything else is."""
    from avelzoo.cli.report import score_table

    out = render.console(stderr=stderr)
    out.print(score_table(result["scores"]))
    gap = result.get("optimism_gap")
    out.print(
        render.fields(
            {
                "epoch": f"{result['best_epoch']}, chosen on val",
                "optimism gap": "" if gap is None else f"{100 * gap:.1f} points, had test chosen the epoch",
                "seed": str(result["seed"]),
                "run folder": str(result["run_dir"]),
            }
        )
    )


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """A JSON file of a run folder.

    Raises:
        RunError: there is no such folder or file, or it is damaged.
    """
    path = folder / name
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(
            f"'{folder}' is not a folder of an avelzoo run" if folder.is_dir() else f"there is no folder '{folder}'",
            expected=f"a folder with {name}",
            fix="name a folder that `avelzoo run` made",
        ) from None
    except ValueError as error:
        raise RunError(f"{name} is damaged: {error}", where=str(path)) from error
    if not isinstance(data, dict):
        raise RunError(f"{name} is damaged", where=str(path), found=type(data).__name__, expected="an object")
    return data


def _new_folder(composition: Composition) -> Path:
    """A name that tells what was run and when, and that nothing has yet."""
    recipe = composition.recipe
    stem = f"{recipe.name}-{recipe.supervision}-{datetime.now():%Y%m%d-%H%M%S}"
    taken = 1
    folder = RUNS / stem
    while folder.exists():
        taken += 1
        folder = RUNS / f"{stem}-{taken}"
    return folder
