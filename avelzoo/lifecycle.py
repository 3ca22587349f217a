"""Telling plugins how a run goes: trackers listen here, and cannot disturb it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avelzoo.composition import Composition

if TYPE_CHECKING:
    from avelzoo.engine import RunResult
    from avelzoo.host import PluginHost


@dataclass(frozen=True)
class RunView:
    """A run as plugins see it.

    Attributes:
        path: the run folder; a tracker may keep files of its own in it.
        composition: what is run.
        epochs_done: whole epochs behind it when it began; above 0 for one that goes on.
    """

    path: Path
    composition: Composition
    epochs_done: int = 0


class Lifecycle:
    """Calls the lifecycle hooks of every plugin; one that fails is a warning, and the run goes on.

    Args:
        host: whose plugins listen.
    """

    def __init__(self, host: PluginHost) -> None:
        self._host = host

    def started(self, run: RunView) -> None:
        """Training begins, or goes on."""
        self._call("avelzoo_run_started", run=run)

    def epoch(self, run: RunView, epoch: int, line: Mapping[str, Any]) -> None:
        """An epoch, counted from 1, is done; its line of ``metrics.jsonl`` is told as flat numbers."""
        self._call("avelzoo_epoch_finished", run=run, epoch=epoch, metrics=flat(line))

    def finished(self, run: RunView, result: RunResult | None, error: BaseException | None) -> None:
        """The run is over, with a result or with an error."""
        self._call("avelzoo_run_finished", run=run, result=result, error=error)

    def _call(self, hook: str, **values: Any) -> None:
        from avelzoo.host import PluginWarning

        try:
            self._host.call(hook, **values)
        except Exception as fault:  # noqa: BLE001 - no stranger's tracker may cost a run
            warnings.warn(f"a plugin failed in {hook}: {type(fault).__name__}: {fault}", PluginWarning, stacklevel=3)


def flat(line: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The numbers of nested plain data, by dotted names: ``{"val": {"loss": 1}}`` -> ``{"val.loss": 1.0}``."""
    found: dict[str, float] = {}
    for name, value in line.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[f"{prefix}{name}"] = float(value)
    return found
