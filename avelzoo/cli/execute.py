"""A run as the command line does it: where it goes, what is shown meanwhile, what is printed at the end."""

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
    """How to run, apart from what.

    Attributes:
        out: the run folder; None for a new one.
        resume: go on with what is in it.
        device: ``auto``, ``cpu`` or ``cuda``.
        devices: processes on this machine.
        nodes: machines.
        threads: threads of each process; None for as many as cores are free.
        json: print the result as JSON on stdout, and everything for people on stderr.
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
        """Refuse several processes where there are several runs already.

        Raises:
            UsageError: more than one was asked for.
        """
        if self.devices * self.nodes > 1:
            raise UsageError(
                "a sweep's runs take one process each",
                found=f"--devices {self.devices} --nodes {self.nodes}",
                fix="leave these out; `--launcher local` has several runs going on at once",
            )


def reopen(
    registry: Registry, folder: str | None, how: RunSettings, data: Path | None = None
) -> tuple[Composition, RunSettings]:
    """The composition of a run to resume, with its data in another folder where one is given.

    Raises:
        UsageError: no folder was named, or the run's data set reads none.
        RunError: it is not a run folder.
    """
    if folder is None:
        raise UsageError("--resume needs a run folder", fix="name it: `avelzoo run --resume RUN_DIR`")
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
    """Prints on stderr which loss terms train and how many threads compute.

    Args:
        registry: where parts are looked for that would give what a term needs.
        threads: how many and why; empty for PyTorch's own choice.
    """

    def __init__(self, registry: Registry, threads: str) -> None:
        self._registry, self._threads = registry, threads

    def run_started(self, run: RunView) -> None:
        """Print the lines."""
        from avelzoo.composition.terms import loss_terms

        states = loss_terms(run.composition.recipe, self._registry)
        render.console(stderr=True).print(render.fields(render.terms_lines(states) | {"threads": self._threads}))


def execute(host: PluginHost, composition: Composition, how: RunSettings) -> None:
    """Train, evaluate, print."""
    load = Load()  # measured while PyTorch is imported
    from avelzoo import engine
    from avelzoo.api import folder_name
    from avelzoo.engine.parallel.rank import find_rank
    from avelzoo.system.allocator import keep_freed_memory

    keep_freed_memory()
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
            fix = f"avelzoo run --resume {folder}" if begun else "nothing was kept; start it again"
            raise StoppedError("the run was interrupted", where=str(folder), fix=fix) from None
    if not first:
        return  # one of several that torchrun started; the first one tells
    if how.json:
        render.emit_json(result.to_dict())
    if not how.quiet:
        print_result(result, stderr=how.json)


def print_result(result: RunResult, *, stderr: bool) -> None:
    """The table for people, and where everything else is."""
    gap = result.optimism_gap
    told = {
        "epoch": f"{result.best_epoch} of {result.epochs}, chosen on val"
        + ("; stopped early" if result.stopped_early else ""),
        "optimism gap": "not measured (no test curve)"
        if gap is None
        else f"{100 * gap:.1f} points: what choosing the epoch on test would add",
        "seed": str(result.seed),
        "time": f"{result.seconds:.0f} s on {result.device}",
        "weak labels": render.weak_labels(result.weak_protocol),
        "not compiled": result.compile_failure or "",
        "run folder": result.run_dir,
    }
    out = render.console(stderr=stderr)
    out.print(render.score_table(result.scores))
    out.print(render.fields(told))
