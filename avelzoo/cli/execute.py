"""A run from the command line: its folder, progress on the terminal, tables at the end."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, final

from avelzoo.cli import render
from avelzoo.cli.failures import StoppedError
from avelzoo.composition.request import relocated
from avelzoo.composition.resolving import Composition, from_dict
from avelzoo.errors import RunError, UsageError
from avelzoo.plugin.host import PluginHost
from avelzoo.plugin.listeners import Listener, RunView, plugin_listeners
from avelzoo.plugin.registry import Registry
from avelzoo.system.threads import Load, threads

if TYPE_CHECKING:
    from avelzoo.engine import RunResult


@dataclass(frozen=True)
class RunSettings:
    """Settings of a run apart from its composition.

    Attributes:
        out: run folder; None for a new one.
        resume: resume the run in ``out``.
        device: ``auto``, ``cpu`` or ``cuda``.
        devices: number of processes on this machine.
        nodes: number of machines.
        threads: CPU threads per process; None for the number of free cores.
        json: print the result as JSON on stdout, and text for people on stderr.
        quiet: no progress and no table.
    """

    out: Path | None
    resume: bool
    device: str
    json: bool
    quiet: bool
    devices: int = 1
    nodes: int = 1
    threads: int | None = None

    def require_one_process(self) -> None:
        """Refuse several processes per run in a sweep.

        Raises:
            UsageError: more than one process per run.
        """
        if self.devices * self.nodes > 1:
            raise UsageError(
                "runs of a sweep use one process each",
                found=f"--devices {self.devices} --nodes {self.nodes}",
                fix="remove these options; `--launcher local` runs several jobs in parallel",
            )


def reopen(
    registry: Registry, folder: str | None, how: RunSettings, data: Path | None = None
) -> tuple[Composition, RunSettings]:
    """The composition of a run to resume, with another data folder if given.

    Raises:
        UsageError: no run folder was named, or the run's data set reads no folder.
        RunError: the folder is not a run folder.
    """
    if folder is None:
        raise UsageError("--resume needs a run folder", fix="`avelzoo run --resume RUN_DIR`")
    path = Path(folder)
    from avelzoo.system.files import read_json

    record = read_json(path, "composition.json")
    try:
        composition = from_dict(registry, record)
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError("the run's composition is incomplete", where=str(path / "composition.json")) from error
    return (composition if data is None else relocated(composition, data)), replace(how, out=path)


@final
class StartLines(Listener):
    """Print on stderr which loss terms train, the number of threads, and the precision chosen for ``auto``.

    Args:
        registry: registry of components that could give a missing channel.
        threads: number of threads and the reason for it; empty for PyTorch's own choice.
    """

    def __init__(self, registry: Registry, threads: str) -> None:
        self._registry, self._threads = registry, threads

    def run_started(self, run: RunView) -> None:
        """Print the lines."""
        from avelzoo.composition.precision import precision_line
        from avelzoo.composition.terms import loss_terms

        states = loss_terms(run.composition.recipe, self._registry)
        lines = {"threads": self._threads, "precision": precision_line(run.path)}
        render.console(stderr=True).print(render.fields(render.terms_lines(states) | lines))


def execute(host: PluginHost, composition: Composition, how: RunSettings) -> None:
    """Train, evaluate, print."""
    load = Load()  # measured while PyTorch is imported
    from avelzoo import engine
    from avelzoo.api import folder_name
    from avelzoo.engine.parallel.rank import find_rank
    from avelzoo.system.allocator import keep_freed_memory

    keep_freed_memory(how.device)
    rank = find_rank()
    first = rank is None or rank.rank == 0
    with (
        nullcontext(how.out) if how.out else engine.new_folder(folder_name(composition)) as folder,
        threads(how.threads, recorded=engine.recorded_threads(folder) if how.resume else None, load=load) as why,
    ):
        shown = [] if how.quiet else [StartLines(host.registry, why), engine.ProgressBar()]
        try:
            result = engine.run(
                composition,
                folder,
                registry=host.registry,
                resume=how.resume,
                device=how.device,
                devices=how.devices,
                nodes=how.nodes,
                command=["avelzoo", *sys.argv[1:]],
                listeners=[*shown, *plugin_listeners(host)],
            )
        except KeyboardInterrupt:
            begun = (folder / "composition.json").exists()
            fix = f"avelzoo run --resume {folder}" if begun else "nothing was saved; start the run again"
            raise StoppedError("the run was interrupted", where=str(folder), fix=fix) from None
    if not first:
        return  # one of several processes of torchrun; rank 0 prints the message
    if how.json:
        render.emit_json(result.to_dict())
    if not how.quiet:
        print_result(result, stderr=how.json)


def print_result(result: RunResult, *, stderr: bool) -> None:
    """Print the table of scores and the paths of all results."""
    gap = result.optimism_gap
    rows = {
        "epoch": f"{result.best_epoch} of {result.epochs}, chosen on val"
        + ("; stopped early" if result.stopped_early else ""),
        "optimism gap": "not measured (no test curve)"
        if gap is None
        else f"{100 * gap:.1f} points, the gain from choosing the epoch on test",
        "seed": str(result.seed),
        "time": f"{result.seconds:.0f} s on {result.device}",
        "weak labels": render.weak_labels(result.weak_protocol),
        "not compiled": result.compile_failure or "",
        "run folder": result.run_dir,
    }
    out = render.console(stderr=stderr)
    out.print(render.score_table(result.scores))
    out.print(render.fields(rows))
    if result.signature:
        out.print(result.signature, style="dim", soft_wrap=True)
