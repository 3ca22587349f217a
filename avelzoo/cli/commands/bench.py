"""`avelzoo bench`: a paper's table or figure by name, from the plan to the table."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avelzoo.cli import benches, render
from avelzoo.cli.commands.sweep import PREFIX, launcher_config, tell
from avelzoo.cli.failures import StoppedError
from avelzoo.cli.options import with_options
from avelzoo.cli.prescan import prescan
from avelzoo.components import LauncherConfig
from avelzoo.composition.overrides import Override
from avelzoo.errors import UsageError
from avelzoo.plugin.default import default_host
from avelzoo.plugin.host import PluginHost
from avelzoo.plugin.registry import Registry
from avelzoo.system.threads import Load, threads

if TYPE_CHECKING:
    from avelzoo.experiments.request import BenchRequest
    from avelzoo.experiments.results import BenchResult
    from avelzoo.experiments.running import Prepared

DEFAULT = "inline"
ROWS = "Experiment"
RUNS = "Runs"


def register(app: typer.Typer, name: str, text: str, argv: Sequence[str]) -> None:
    """Add the command, with the options of the launcher that the arguments name."""
    host = default_host()
    seen = prescan(argv)
    launcher = launcher_config(host.registry, seen.values.get("launcher"), seen.dotted)
    command = with_options(bench, {} if launcher is None else {"launcher": launcher}, host=host)
    app.command(name, help=_help(text, host.registry))(command)


def bench(
    host: PluginHost,
    dotted: Mapping[str, str | None],
    what: Annotated[
        str | None,
        typer.Argument(metavar="EXPERIMENT", help="Name of an experiment; its folder for --resume and --recompute."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Data folder; embedded data by default.", rich_help_panel=ROWS)
    ] = None,
    rows: Annotated[
        str | None, typer.Option(metavar="A,B", help=r"Rows to run. \[default: all]", rich_help_panel=ROWS)
    ] = None,
    supervision: Annotated[
        str | None, typer.Option(metavar="full|weak", help=r"One setting. \[default: all]", rich_help_panel=ROWS)
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(metavar="A,B", help=r"Audio features of --data. \[default: all present]", rich_help_panel=ROWS),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help=r"Number of seeds. \[default: the edition's]", rich_help_panel=ROWS)
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="slot.option=value", help="Value of all rows. Repeatable.", rich_help_panel=ROWS),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help=r"Folder. \[default: a new folder in runs/]", rich_help_panel=RUNS)
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(metavar="MINUTES", min=0, help="Start only runs that end in time.", rich_help_panel=RUNS),
    ] = None,
    adopt: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="Take equal finished runs from here. Repeatable.", rich_help_panel=RUNS),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the experiment in --out, or the folder.", rich_help_panel=RUNS)
    ] = False,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Make the tables again from the folder's files.", rich_help_panel=RUNS)
    ] = False,
    launcher: Annotated[
        str | None, typer.Option(help=r"Launcher of the runs. \[default: inline]", rich_help_panel=RUNS)
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda", help="Device for the computation.", rich_help_panel=RUNS)
    ] = "auto",
    limit: Annotated[
        int | None,
        typer.Option("--threads", min=1, help=r"CPU threads per process. \[default: free cores]", rich_help_panel=RUNS),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.", rich_help_panel=RUNS)] = False,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.", rich_help_panel=RUNS)] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.", rich_help_panel=RUNS)] = False,
) -> None:
    """Run a paper's table or figure."""
    from avelzoo.experiments.request import BenchRequest

    asked = BenchRequest(
        rows=_listed(rows),
        supervisions=_listed(supervision),
        features=_listed(features),
        seeds=seeds,
        data=data,
        overrides=tuple(map(Override.parse, values or ())),
    )
    show = _Output(json=json, quiet=quiet)
    if recompute:
        _recompute(host, what, show)
        return
    name, asked, out = _named(host.registry, what, asked, out, resume=resume)
    how = _launcher(host.registry, launcher, dotted, limit)
    from avelzoo.experiments.running import BenchSettings, expected_seconds, prepare

    command = ["avelzoo", *sys.argv[1:]]
    prepared = prepare(host, name, asked, command=command)
    if dry_run:
        expected = expected_seconds(prepared, how, out if resume else None)
        if json:
            render.emit_json(benches.plan_data(host.registry, prepared, expected))
        else:
            benches.print_plan(host.registry, prepared, how, expected)
        return
    settings = BenchSettings(
        launcher=how, device=device, resume=resume, budget=budget, adopt=adopt or (), command=command
    )
    from avelzoo.engine import new_folder

    with nullcontext(out) if out else new_folder(f"bench-{name.rpartition('/')[2]}") as folder:
        result = _run(host, prepared, folder, settings, show, limit)
        _tell_result(result, folder, show)
    if result.failed:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Output:
    """What a call prints."""

    json: bool
    quiet: bool


def _run(
    host: PluginHost, prepared: Prepared, folder: Path, settings: Any, show: _Output, limit: int | None
) -> BenchResult:
    load = Load()
    from avelzoo.experiments.running import run_experiment

    own = nullcontext("") if settings.launcher.isolated else threads(limit, load=load)
    try:
        with own as why:
            if not show.quiet:
                out = render.console(stderr=True)
                out.print(render.fields({"threads": why, "plan": prepared.plan.hash}))
            return run_experiment(host, prepared, folder, settings, on_outcome=None if show.quiet else tell)
    except KeyboardInterrupt:
        begun = (folder / "plan.json").exists()
        fix = f"avelzoo bench {folder} --resume" if begun else "nothing was saved; start the experiment again"
        raise StoppedError("the experiment was interrupted", where=str(folder), fix=fix) from None


def _named(
    registry: Registry, what: str | None, asked: BenchRequest, out: Path | None, *, resume: bool
) -> tuple[str, BenchRequest, Path | None]:
    """Name, request and folder; on resuming a folder, the stored request with more seeds if asked for."""
    if what is None:
        names = registry.names("experiment")
        raise UsageError("no experiment given", expected=", ".join(names), fix=f"avelzoo bench {names[0]} --dry-run")
    if not (resume and out is None):
        return what, asked, out
    from avelzoo.experiments.folder import BenchDir
    from avelzoo.experiments.request import BenchRequest

    folder = Path(what)
    plan = BenchDir(folder).load()
    stored = BenchRequest.from_dict(plan.request)
    if replace(asked, seeds=None, data=None) != BenchRequest():
        raise UsageError(
            "a resumed experiment cannot change its rows and values",
            fix="give only --seeds (more of them) and --data (if the folder moved), or start another experiment",
        )
    seeds = max(len(plan.seeds), asked.seeds or 0)
    return plan.experiment, replace(stored, seeds=seeds, data=asked.data or stored.data), folder


def _recompute(host: PluginHost, what: str | None, show: _Output) -> None:
    from avelzoo.experiments.writing import recompute

    if what is None:
        raise UsageError("--recompute needs the folder of an experiment", fix="avelzoo bench FOLDER --recompute")
    _tell_result(recompute(host.registry, Path(what)), Path(what), show)


def _launcher(
    registry: Registry, name: str | None, dotted: Mapping[str, str | None], limit: int | None
) -> LauncherConfig:
    given = {key.replace("__", ".", 1).removeprefix(PREFIX): value for key, value in dotted.items()}
    values = {key: value for key, value in given.items() if value is not None}
    if limit is not None and name == "local":
        values.setdefault("threads", str(limit))
    config: LauncherConfig = registry.get("launcher", name or DEFAULT).target.from_dict(values)
    return config


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _tell_result(result: BenchResult, folder: Path, show: _Output) -> None:
    if show.json:
        render.emit_json(result.to_dict())
    if not show.quiet:
        benches.print_result(result, str(folder), stderr=show.json)


def _help(text: str, registry: Registry) -> str:
    from avelzoo.cli.catalogue import experiment_of

    lines = [f"  {entry.name:<12} {experiment_of(entry).title}" for entry in registry.entries("experiment")]
    return f"{text}\n\n" + "Experiments:\n" + "\n".join(lines).replace("[", r"\[")
