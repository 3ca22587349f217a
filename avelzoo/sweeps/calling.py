"""A sweep from Python."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avelzoo.components import LauncherConfig, Supervision
from avelzoo.composition.overrides import Override
from avelzoo.composition.recipe import Recipe
from avelzoo.composition.request import RunRequest
from avelzoo.composition.resolving import PYTHON
from avelzoo.config import checked, native
from avelzoo.errors import UsageError
from avelzoo.plugin.default import default_host
from avelzoo.sweeps.expanding import expand, require_unclaimed
from avelzoo.sweeps.folder import SweepDir, sweep_name
from avelzoo.sweeps.plan import Axis, Plan
from avelzoo.sweeps.results import SweepResult
from avelzoo.sweeps.running import OnOutcome, described, run_plan

if TYPE_CHECKING:
    from avelzoo.plugin.host import PluginHost


def sweep(
    recipe: Recipe | str,
    *,
    over: Mapping[str, Iterable[Any]] | None = None,
    seeds: int | Sequence[int] | None = None,
    launcher: str | LauncherConfig = "inline",
    supervision: Supervision | None = None,
    choices: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    device: str = "auto",
    on_outcome: OnOutcome | None = None,
    host: PluginHost | None = None,
) -> SweepResult:
    """Run every combination of values with several seeds, as `avelzoo run --sweep` does.

    Args:
        recipe: a name, or a `Recipe`, as in `avelzoo.run`.
        over: axes: ``slot.option``, a slot, ``supervision`` or ``recipe`` -> values, as a list, a range, a NumPy array
            or another iterable.
        seeds: number of seeds, counted up from the recipe's seed, or a list of seeds; None for the recipe's seed.
        launcher: a name, or a config with options, such as ``LocalConfig(workers=2)``.
        supervision: ``full`` or ``weak``, for a recipe given by name; full by default.
        choices: component names of all runs, by slot.
        options: values of all runs, by ``slot.option``.
        out: sweep folder; by default a new one under ``runs/``.
        resume: resume the sweep in ``out``; values and seeds may be added.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        on_outcome: called after each run with its outcome, the number of finished runs and the number of all runs.
        host: host of the components and listening plugins; by default all installed plugins. Launchers that start
            other processes support only the default.

    Returns:
        Means and standard deviations by cell, and the failed runs.

    Raises:
        AvelzooError: no run could be started.

    >>> tiny = {"train.epochs": 1, "dataset.train_videos": 32}
    >>> len(sweep("single-branch", seeds=2, choices={"encoder": "mean-pool"}, options=tiny).cells[0].seeds)
    2
    """
    resume = checked("sweep.resume", bool, resume, default=False)
    if resume and out is None:
        raise UsageError("resuming needs a sweep folder", fix="pass the folder: sweep(..., out=SWEEP_DIR, resume=True)")
    host = host or default_host()
    registry = host.registry
    overrides = Override.from_mapping(options, PYTHON)
    shared = RunRequest(recipe, supervision, choices or {}, overrides)
    seeds = native(seeds)
    axes = [Axis(name, _values(name, values)) for name, values in (over or {}).items()]
    require_unclaimed(axes, dict.fromkeys(choices or {}, "choices") | dict.fromkeys(options or {}, "options"))
    config = registry.get("launcher", launcher).target() if isinstance(launcher, str) else launcher
    plan = Plan.of(
        axes,
        expand(registry, axes, seeds, shared),
        device=str(device),
        launcher=described(registry, config),
        plugins=host.files,
        command=sys.argv,
    )
    from avelzoo.engine import new_folder

    with nullcontext(Path(out)) if out is not None else new_folder(sweep_name(plan.trials)) as folder:
        return run_plan(plan, SweepDir(folder), host=host, resume=resume, on_outcome=on_outcome)


def _values(name: str, values: Any) -> tuple[Any, ...]:
    """Convert an axis's values (a list, an array or its rows, another iterable) to Python types."""
    one = isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable)
    if one or getattr(values, "ndim", 1) == 0:
        raise UsageError(
            f"the values of '{name}' are not a list",
            found=str(native(values))[:80],
            expected="a list, a range, an array or another iterable of values",
            fix="put a single value in a list: [value]",
        )
    return tuple(map(native, values))
