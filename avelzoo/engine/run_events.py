"""Passes the events of a run to its listeners."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from avelzoo.engine.result import RunResult
from avelzoo.engine.rundir import RunWarning
from avelzoo.errors import describe
from avelzoo.plugin.listeners import Listener, RunView


class RunEvents:
    """The listeners of a run. As a context manager it reports the end: ``result``, or the error that left the block.

    Args:
        listeners: the listeners; one that fails is reported once and then ignored.
        run: description of the run for the listeners.
    """

    def __init__(self, listeners: Sequence[Listener], run: RunView) -> None:
        self._listeners, self._run = list(listeners), run
        self._started = False
        self.result: RunResult | None = None

    def run_started(self, epochs_done: int) -> None:
        """Training begins, or resumes."""
        self._run, self._started = replace(self._run, epochs_done=epochs_done), True
        self._tell("run_started", self._run)

    def step_finished(self, epoch: int, step: int, steps: int) -> None:
        """A step is done."""
        self._tell("step_finished", epoch, step, steps)

    def epoch_finished(self, epoch: int, metrics: Mapping[str, Any], best: bool) -> None:
        """An epoch is done."""
        self._tell("epoch_finished", epoch, metrics, best)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._started:
            self._tell("run_finished", self.result, error)

    def _tell(self, event: str, *values: Any) -> None:
        failed: list[str] = []
        for listener in list(self._listeners):
            try:
                getattr(listener, event)(*values)
            except BaseException as fault:  # a failing listener must not stop the run or other listeners
                if type(fault) is KeyboardInterrupt:
                    raise
                self._listeners.remove(listener)
                failed.append(
                    f"{listener.name} failed in {event} and receives no further events of this run: {describe(fault)}"
                )
        for text in failed:  # after all calls, because a filter may turn the warning into an error
            warnings.warn(text, RunWarning, stacklevel=3)
