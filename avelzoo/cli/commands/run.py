"""`avelzoo run`: compose, train, evaluate, write a run folder.

Two passes over the arguments: the first finds the composition; the second parses all arguments, with one option for
each value of the composition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from avelzoo.cli import render
from avelzoo.cli.commands.sweep import SweepRequest, apart, holds_sweep, launcher_config, resume_sweep, run_sweep
from avelzoo.cli.execute import RunSettings, execute, reopen
from avelzoo.cli.options import typed, with_slot_options
from avelzoo.cli.prescan import Arguments, prescan
from avelzoo.composition.overrides import Override, require_current
from avelzoo.composition.request import Preview, RunRequest
from avelzoo.composition.resolving import Composition
from avelzoo.errors import UsageError
from avelzoo.plugin.default import default_host
from avelzoo.plugin.host import PluginHost
from avelzoo.plugin.registry import Registry

COMPOSITION = "Composition"
TRAINING = "Training"
RUN = "Run"
SWEEP = "Sweep"


def register(app: typer.Typer, name: str, text: str, argv: Sequence[str]) -> None:
    """Add the command, with the options of the composition that the arguments name."""
    host = default_host()
    seen = prescan(argv)
    if seen.twice:
        raise UsageError(f"{seen.twice[0]} is given twice with different values", fix="keep one of the two")
    for flag in seen.dotted:
        require_current(flag.removeprefix("--"), flag)
    preview = _preview(host.registry, seen)
    launcher = launcher_config(host.registry, seen.values.get("launcher"), seen.dotted)
    if preview is None and seen.dotted and not seen.help and "--resume" not in seen.flags:
        RunRequest(None).resolve(host.registry)  # raises
    composition = preview.composition if preview else None
    command = with_slot_options(run, composition, launcher, host=host, preview=preview)
    app.command(name, help=_help(text, host.registry, composition))(command)


def run(
    host: PluginHost,
    preview: Preview | None,
    slots: Annotated[Mapping[str, str | None], "Name of another {kind}.", COMPOSITION],
    dotted: Mapping[str, str | None],
    recipe: Annotated[str | None, typer.Argument(help="Recipe name; run folder for --resume without --out.")] = None,
    supervision: Annotated[
        str,
        typer.Option(metavar="full|weak", help="Labels per segment or per video.", rich_help_panel=COMPOSITION),
    ] = "full",
    data: Annotated[
        Path | None, typer.Option(help="Data folder in AVE's public layout.", rich_help_panel=COMPOSITION)
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file with one table per slot: `name` and options.", rich_help_panel=COMPOSITION),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="slot.option=value", help="Value of one option. Repeatable.", rich_help_panel=COMPOSITION
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="train.epochs", rich_help_panel=TRAINING)] = None,
    batch_size: Annotated[int | None, typer.Option(help="train.batch_size", rich_help_panel=TRAINING)] = None,
    seed: Annotated[int | None, typer.Option(help="train.seed", rich_help_panel=TRAINING)] = None,
    limit_batches: Annotated[int | None, typer.Option(help="train.limit_batches", rich_help_panel=TRAINING)] = None,
    test_curve: Annotated[
        bool | None, typer.Option("--test-curve/--no-test-curve", help="train.test_curve", rich_help_panel=TRAINING)
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(metavar="32|64|bf16-mixed|16-mixed|auto", help="compute.precision", rich_help_panel=TRAINING),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda", help="Device for the computation.", rich_help_panel=RUN)
    ] = "auto",
    devices: Annotated[
        int,
        typer.Option(
            min=1, help="Processes on this machine, one device each; they split every batch.", rich_help_panel=RUN
        ),
    ] = 1,
    nodes: Annotated[
        int, typer.Option(min=1, help="Number of machines; each runs --devices processes.", rich_help_panel=RUN)
    ] = 1,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help=r"CPU threads per process. \[default: free cores]", rich_help_panel=RUN),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help=r"Run folder. \[default: a new folder in runs/]", rich_help_panel=RUN)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the run in --out, or the run folder RECIPE.", rich_help_panel=RUN)
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the composition and stop.", rich_help_panel=RUN)
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.", rich_help_panel=RUN)] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.", rich_help_panel=RUN)] = False,
    seeds: Annotated[
        int | None, typer.Option(help="Number of runs; seeds count up from --seed.", rich_help_panel=SWEEP)
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=A,B,...",
            help="Values of slot.option, a slot, supervision or recipe. Repeatable; combinations are run.",
            rich_help_panel=SWEEP,
        ),
    ] = None,
    launcher: Annotated[
        str | None, typer.Option(help=r"Launcher of the runs. \[default: inline]", rich_help_panel=SWEEP)
    ] = None,
) -> None:
    """Train and evaluate a recipe; write a run folder."""
    registry = host.registry
    short = {
        "--epochs": ("train.epochs", epochs),
        "--batch-size": ("train.batch_size", batch_size),
        "--seed": ("train.seed", seed),
        "--limit-batches": ("train.limit_batches", limit_batches),
        "--no-test-curve": ("train.test_curve", test_curve),
        "--precision": ("compute.precision", precision),
    }
    overrides, of_launcher = apart(
        [
            *(Override(path, value, flag) for flag, (path, value) in short.items() if value is not None),
            *typed(dotted),
            *map(Override.parse, values or ()),
        ]
    )
    how = RunSettings(
        out=out,
        resume=resume,
        device=device,
        json=json,
        quiet=quiet,
        devices=devices,
        nodes=nodes,
        threads=threads,
    )
    many = SweepRequest(seeds, sweep or (), launcher, of_launcher)
    request = RunRequest(recipe, supervision, slots, tuple(overrides), config, data)
    if resume and out is None:
        if overrides or request.choices or config or supervision != "full" or seeds or sweep:
            raise UsageError(
                "a resumed run cannot change its options",
                fix="give only --resume RUN_DIR (and --data DIR if the data folder moved),"
                " or repeat the original command with --out RUN_DIR --resume",
            )
        if recipe is not None and holds_sweep(Path(recipe)):
            how.require_one_process()
            resume_sweep(host, Path(recipe), many, how, data=data, dry_run=dry_run)
            return
        many.require_single(None)
        composition, how = reopen(registry, recipe, how, data)
    elif many.wanted:
        how.require_one_process()
        run_sweep(host, request, many, how, dry_run=dry_run)
        return
    else:
        many.require_single(out)
        composition = preview.complete(registry, request) if preview else request.resolve(registry)
    if dry_run:
        _print_composition(registry, composition, device, as_json=json)
    else:
        execute(host, composition, how)


def _preview(registry: Registry, seen: Arguments) -> Preview | None:
    """The composition without overrides; its options become command-line options."""
    resumed = "--resume" in seen.flags and "out" not in seen.values
    if seen.recipe is None or resumed:
        return None
    data, config = (Path(seen.values[name]) if name in seen.values else None for name in ("data", "config"))
    supervision = seen.values.get("supervision", "full")
    request = RunRequest(seen.recipe, supervision, seen.slots, file=config, data=data)
    return Preview(request, request.resolve(registry))


def _help(text: str, registry: Registry, composition: Composition | None) -> str:
    if composition is not None:
        owner = composition.owner
        return f"{text}\n\n{owner.qualified}: {composition.recipe.summary}."
    lines = [f"  {entry.name:<20} {entry.summary}" for entry in registry.entries("recipe")]
    more = "`avelzoo run RECIPE --help` lists every option of the recipe with its default and the default's source."
    return "\n\n".join([text, "Recipes:\n" + "\n".join(lines), more]).replace("[", r"\[")


def _print_composition(registry: Registry, composition: Composition, device: str, *, as_json: bool) -> None:
    from avelzoo.composition.checking import check
    from avelzoo.composition.precision import AUTO, expected_precision
    from avelzoo.composition.terms import loss_terms

    check(composition.recipe, registry, composition.sources)
    states = loss_terms(composition.recipe, registry)
    if as_json:
        render.emit_json(composition.to_dict() | {"terms": {state.name: state.to_dict() for state in states}})
        return
    out = render.console()
    out.print(render.composition_table(composition))
    out.print(render.terms_table(states))
    if composition.recipe.compute.precision == AUTO:
        out.print(render.fields({"precision": expected_precision(device)}))
