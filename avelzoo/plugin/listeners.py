"""Listeners of a run's events, such as progress bars and trackers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, final

from avelzoo.errors import UsageError

if TYPE_CHECKING:
    from avelzoo.composition.resolving import Composition
    from avelzoo.engine import RunResult
    from avelzoo.plugin.host import PluginHost

HOOKS = ("avelzoo_run_started", "avelzoo_epoch_finished", "avelzoo_run_finished")


@dataclass(frozen=True)
class RunView:
    """Description of a run for listeners.

    Attributes:
        path: run folder; a tracker may write its own files there.
        composition: composition of the run.
        epochs_done: number of epochs finished before; above 0 for a resumed run.
    """

    path: Path
    composition: Composition
    epochs_done: int = 0


class Listener:
    """Receives the events of a run; override the methods you need. Epochs and steps are counted from 0.

    A listener cannot change the run or its random numbers (except in ``step_finished``, which is called too often to
    be guarded). A listener that raises an error is reported by one warning and receives no further events; the run and
    the other listeners continue. Only a ``KeyboardInterrupt`` stops the run.

    >>> class Printer(Listener):
    ...     def epoch_finished(self, epoch, metrics, best):
    ...         print(epoch, metrics["val"]["segment_accuracy"])
    """

    @property
    def name(self) -> str:
        """Name of the listener in warnings."""
        return f"listener {type(self).__name__}"

    def run_started(self, run: RunView) -> None:
        """Called when training begins or resumes after ``run.epochs_done`` epochs."""

    def step_finished(self, epoch: int, step: int, steps: int) -> None:
        """Called after step ``step`` of ``steps`` of an epoch."""

    def epoch_finished(self, epoch: int, metrics: Mapping[str, Any], best: bool) -> None:
        """Called after an epoch.

        Args:
            epoch: number of the epoch.
            metrics: the epoch's line of ``metrics.jsonl``.
            best: whether it has the best val score so far.
        """

    def run_finished(self, result: RunResult | None, error: BaseException | None) -> None:
        """Called when the run has ended, with its result or the error that ended it."""


@final
class _PluginListener(Listener):
    """Passes events to the hooks of one plugin."""

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self.hooks: dict[str, Callable[..., Any]] = {}
        self._run: RunView | None = None

    @property
    def name(self) -> str:
        return f"plugin '{self._plugin}'"

    def run_started(self, run: RunView) -> None:
        self._run = run
        self._call("avelzoo_run_started")

    def epoch_finished(self, epoch: int, metrics: Mapping[str, Any], best: bool) -> None:
        self._call("avelzoo_epoch_finished", epoch=epoch + 1, metrics=MappingProxyType(flat(metrics)))

    def run_finished(self, result: RunResult | None, error: BaseException | None) -> None:
        self._call("avelzoo_run_finished", result=result, error=error)

    def _call(self, hook: str, **values: Any) -> None:
        if hook in self.hooks:
            self.hooks[hook](run=self._run, **values)


def require_listeners(listeners: Any) -> list[Listener]:
    """The listeners of a call.

    Raises:
        UsageError: one of them is no `Listener`, or they are not several.
    """
    several = isinstance(listeners, Iterable) and not isinstance(listeners, type)
    strangers = [one for one in listeners if not isinstance(one, Listener)] if several else [listeners]
    if strangers:
        raise UsageError(
            "run takes a list of listeners",
            where="listeners",
            found=repr(strangers[0]),
            expected="objects of classes derived from avelzoo.Listener, such as [MyListener()]",
        )
    return list(listeners)


def plugin_listeners(host: PluginHost) -> list[Listener]:
    """One listener for each plugin that implements a hook of `HOOKS`."""
    found: dict[str, _PluginListener] = {}
    for hook in HOOKS:
        for name, call in host.listeners(hook):
            found.setdefault(name, _PluginListener(name)).hooks[hook] = call
    return list(found.values())


def flat(line: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The numbers of nested plain data, by dotted names: ``{"val": {"loss": 1}}`` -> ``{"val.loss": 1.0}``."""
    found: dict[str, float] = {}
    for name, value in line.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[f"{prefix}{name}"] = float(value)
    return found
