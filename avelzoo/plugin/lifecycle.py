"""Telling plugins how a run goes: trackers listen here, and cannot disturb it or each other."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from avelzoo.errors import describe

if TYPE_CHECKING:
    from avelzoo.composition.resolving import Composition
    from avelzoo.engine import RunResult
    from avelzoo.plugin.host import PluginHost


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
    """Calls the lifecycle hooks of every plugin.

    A plugin that fails is one warning and gets no more calls; the run and the other plugins continue.

    Args:
        host: whose plugins listen.
    """

    def __init__(self, host: PluginHost) -> None:
        self._host = host
        self._left_out: set[str] = set()

    def started(self, run: RunView) -> None:
        """Training begins, or goes on."""
        self._call("avelzoo_run_started", run=run)

    def epoch(self, run: RunView, epoch: int, line: Mapping[str, Any]) -> None:
        """An epoch, counted from 1, is done; its line of ``metrics.jsonl`` is told as flat numbers."""
        self._call("avelzoo_epoch_finished", run=run, epoch=epoch, metrics=MappingProxyType(flat(line)))

    def finished(self, run: RunView, result: RunResult | None, error: BaseException | None) -> None:
        """The run is over, with a result or with an error."""
        self._call("avelzoo_run_finished", run=run, result=result, error=error)

    def _call(self, hook: str, **values: Any) -> None:
        from avelzoo.plugin.host import PluginWarning

        failed: list[str] = []
        for name, call in self._host.listeners(hook):
            if name in self._left_out:
                continue
            try:
                call(**values)
            except BaseException as fault:  # no stranger's tracker may cost a run, or silence another one
                if type(fault) is KeyboardInterrupt:
                    raise
                self._left_out.add(name)
                failed.append(f"plugin '{name}' failed in {hook} and is left out of this run: {describe(fault)}")
        for text in failed:  # after all calls, because a warning may be made an error
            warnings.warn(text, PluginWarning, stacklevel=3)


def flat(line: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The numbers of nested plain data, by dotted names: ``{"val": {"loss": 1}}`` -> ``{"val.loss": 1.0}``."""
    found: dict[str, float] = {}
    for name, value in line.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[f"{prefix}{name}"] = float(value)
    return found
