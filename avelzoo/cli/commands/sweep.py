"""`avelzoo run` with `--seeds` or `--sweep`: several runs and one table of results."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from avelzoo.cli import render
from avelzoo.cli.execute import RunSettings
from avelzoo.cli.failures import StoppedError
from avelzoo.composition.overrides import Override
from avelzoo.composition.request import RunRequest, relocated
from avelzoo.composition.resolving import from_dict
from avelzoo.config import options
from avelzoo.errors import RunError, UsageError
from avelzoo.plugin.host import PluginHost
from avelzoo.plugin.registry import Registry
from avelzoo.system.threads import Load, threads

if TYPE_CHECKING:
    from avelzoo.components import LauncherConfig
    from avelzoo.jobs import Outcome
    from avelzoo.sweeps.plan import Plan, Trial
    from avelzoo.sweeps.results import SweepResult

DEFAULT = "inline"
PREFIX = "launcher."


@dataclass(frozen=True)
class SweepRequest:
    """Arguments of a sweep.

    Attributes:
        seeds: number of seeds; None if not given.
        axes: values of ``--sweep``, as typed.
        launcher: name of the launcher; None if not given.
        options: values of the launcher's options.
    """

    seeds: int | None = None
    axes: Sequence[str] = ()
    launcher: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def wanted(self) -> bool:
        """Whether the arguments ask for a sweep."""
        return self.seeds is not None or bool(self.axes)

    def require_launcher(self) -> None:
        """Refuse launcher options without a launcher, which would be ignored.

        Raises:
            UsageError: launcher options, but no launcher.
        """
        if self.options and self.launcher is None:
            raise UsageError(
                f"'{PREFIX}{next(iter(self.options))}' is set, but no launcher is chosen",
                fix="add --launcher NAME; `avelzoo list launchers` lists the names",
            )

    def require_single(self, out: Path | None) -> None:
        """Refuse a single run with a launcher or in a sweep's folder.

        Raises:
            UsageError: the single run has a launcher or launcher options.
            RunError: the run folder holds a sweep.
        """
        self.require_launcher()
        if self.launcher is not None:
            raise UsageError("--launcher needs a sweep", fix="add --seeds N or --sweep OPTION=A,B")
        if out is not None and holds_sweep(out):
            raise RunError(
                f"'{out}' holds a sweep",
                fix=f"choose another folder with --out, or resume the sweep: avelzoo run --resume {out}",
            )


def holds_sweep(folder: Path) -> bool:
    """Whether a folder holds a sweep."""
    from avelzoo.sweeps.folder import SweepDir

    return SweepDir(folder).plan.exists()


def launcher_config(registry: Registry, name: str | None, dotted: Iterable[str] = ()) -> LauncherConfig | None:
    """A launcher's config with defaults; its options become command-line options.

    Raises:
        UsageError: launcher options, but no launcher.
    """
    if name is not None:
        config: LauncherConfig = registry.get("launcher", name).target()
        return config
    if any(flag.startswith(f"--{PREFIX}") for flag in dotted):
        raise UsageError(
            "launcher options need --launcher",
            expected="--launcher " + " or ".join(registry.names("launcher")),
            fix="for example --launcher local --launcher.workers 2",
        )
    return None


def apart(overrides: Sequence[Override]) -> tuple[list[Override], dict[str, Any]]:
    """Split overrides into those of the composition and the launcher's values by option."""
    launcher = {o.path.removeprefix(PREFIX): o.value for o in overrides if o.path.startswith(PREFIX)}
    return [o for o in overrides if not o.path.startswith(PREFIX)], launcher


def run_sweep(host: PluginHost, shared: RunRequest, many: SweepRequest, how: RunSettings, *, dry_run: bool) -> None:
    """Plan a sweep, run it and print its results.

    Args:
        host: host of the components.
        shared: request that all runs share.
        many: arguments of the sweep.
        how: settings, as for a single run.
        dry_run: print the plan and stop.
    """
    from avelzoo.sweeps.expanding import expand, require_unclaimed
    from avelzoo.sweeps.folder import sweep_name
    from avelzoo.sweeps.plan import Axis, Plan

    axes = [Axis.parse(text) for text in many.axes]
    given = {override.path: override.source for override in shared.overrides}
    given |= {slot: f"--{slot}" for slot in shared.choices}
    require_unclaimed(axes, given | ({"supervision": "--supervision"} if shared.supervision != "full" else {}))
    plan = Plan.of(
        axes,
        expand(host.registry, axes, many.seeds, shared),
        device=how.device,
        launcher=_launcher(host.registry, many, {"name": DEFAULT, "options": {}}),
        plugins=host.files,
        command=["avelzoo", *sys.argv[1:]],
    )
    if dry_run:
        _print_plan(plan, as_json=how.json)
    else:
        from avelzoo.engine import new_folder

        with nullcontext(how.out) if how.out else new_folder(sweep_name(plan.trials)) as folder:
            _execute(host, plan, folder, how)


def resume_sweep(
    host: PluginHost, folder: Path, many: SweepRequest, how: RunSettings, *, data: Path | None, dry_run: bool
) -> None:
    """Resume the sweep in a folder, with another launcher or data folder if given."""
    from avelzoo.sweeps.folder import SweepDir

    plan = SweepDir(folder).load()
    if data is not None:
        plan = _relocated(host.registry, plan, data)
    device = plan.device if how.device == "auto" else how.device
    plan = replace(plan, launcher=_launcher(host.registry, many, plan.launcher), device=device)
    if dry_run:
        _print_plan(plan, as_json=how.json)
    else:
        _execute(host, plan, folder, how)


def _launcher(registry: Registry, many: SweepRequest, otherwise: Mapping[str, Any]) -> dict[str, Any]:
    from avelzoo.sweeps.running import described, launcher_of

    many.require_launcher()
    chosen = otherwise if many.launcher is None else {"name": many.launcher, "options": many.options}
    return described(registry, launcher_of(registry, chosen))


def _relocated(registry: Registry, plan: Plan, data: Path) -> Plan:
    if "dataset.root" in plan.axes:
        raise UsageError("the sweep reads several data folders", found=f"--data {data}", fix="leave out --data")
    moved = [relocated(from_dict(registry, trial.composition), data).to_dict() for trial in plan.trials]
    trials = (replace(trial, composition=one) for trial, one in zip(plan.trials, moved, strict=True))
    return replace(plan, trials=tuple(trials))


def _execute(host: PluginHost, plan: Plan, path: Path, how: RunSettings) -> None:
    load = Load()  # measured while PyTorch is imported
    from avelzoo.sweeps.folder import SweepDir
    from avelzoo.sweeps.running import described, launcher_of, run_plan

    folder = SweepDir(path)
    launcher = launcher_of(host.registry, plan.launcher)
    if how.threads is not None and "threads" in {option.name for option in options(type(launcher))}:
        launcher = replace(launcher, threads=how.threads)  # type: ignore[call-arg]
        plan = replace(plan, launcher=described(host.registry, launcher))
    own = nullcontext("") if launcher.isolated else threads(how.threads, load=load)
    try:
        with own as why:
            if not how.quiet:
                render.console(stderr=True).print(render.fields({"threads": why}))
            on_outcome = None if how.quiet else tell
            result = run_plan(plan, folder, host=host, resume=how.resume, on_outcome=on_outcome)
    except KeyboardInterrupt:
        begun = folder.plan.exists()
        fix = f"avelzoo run --resume {path}" if begun else "nothing was saved; start the sweep again"
        raise StoppedError("the sweep was interrupted", where=str(path), fix=fix) from None
    if how.json:
        render.emit_json(result.to_dict())
    if not how.quiet:
        _print_result(result, stderr=how.json)
    codes = {failure.error["exit_code"] for failure in result.failures}
    if codes:
        raise typer.Exit(codes.pop() if len(codes) == 1 else 1)


def tell(outcome: Outcome, over: int, of: int) -> None:
    """Print the outcome of a run in one line."""
    if outcome.error is not None:
        said = f"failed: {outcome.error['problem']}"
    else:
        said = f"test {render.percent(outcome.value['scores']['test']['segment_accuracy'])} %, {outcome.seconds:.0f} s"
    render.console(stderr=True).print(f"[{over}/{of}] {outcome.job}: {said}")


def _print_result(result: SweepResult, *, stderr: bool) -> None:
    out = render.console(stderr=stderr)
    columns, rows = result.rows()
    out.print(render.table(columns, rows, title="mean ± standard deviation", right=columns[len(result.axes) :]))
    if result.note:
        out.print(result.note)
    for failure in result.failures:
        known = {key: str(failure.error[key]) for key in ("problem", "where", "found", "expected", "fix")}
        out.print(render.fields({"failed": failure.run} | known | {"log": failure.log or ""}))
    if result.failures:
        out.print(f"{len(result.failures)} failed; to run them again: avelzoo run --resume {result.path}")
    out.print(render.fields({"sweep folder": result.path, "signature": result.signatures}))


def _print_plan(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        render.emit_json(plan.to_dict())
        return
    rows = [_row(trial) for trial in plan.trials]
    title = f"{len(rows)} runs with the launcher {plan.launcher['name']}"
    render.console().print(render.table(("run", "recipe", "seed"), rows, title=title, right=("seed",)))


def _row(trial: Trial) -> tuple[str, str, str]:
    return trial.name, str(trial.composition["recipe"]), str(trial.seed)
