"""A watcher that also tells the plugins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any

from avelzoo.engine.progress import Watcher
from avelzoo.engine.result import RunResult
from avelzoo.plugin.lifecycle import Lifecycle, RunView


class Telling:
    """Passes everything on to a watcher, and epochs and the end to the plugins.

    As a context it tells how the run ended: with ``result``, or with the error that left it.

    Args:
        watcher: who is told first.
        lifecycle: the plugins; None tells nobody else.
        run: the run as they see it.
    """

    def __init__(self, watcher: Watcher, lifecycle: Lifecycle | None, run: RunView) -> None:
        self._watcher, self._lifecycle, self._run = watcher, lifecycle, run
        self._begun = False
        self.result: RunResult | None = None

    def begin(self, epochs: int, done: int) -> None:
        """Training begins, or goes on."""
        self._run = replace(self._run, epochs_done=done)
        self._watcher.begin(epochs, done)
        if self._lifecycle is not None:
            self._lifecycle.started(self._run)
        self._begun = True

    def step(self, epoch: int, step: int, steps: int) -> None:
        """A step is done; plugins are not asked in the hot path."""
        self._watcher.step(epoch, step, steps)

    def epoch(self, epoch: int, line: Mapping[str, Any], best: bool) -> None:
        """An epoch is done."""
        self._watcher.epoch(epoch, line, best)
        if self._lifecycle is not None:
            self._lifecycle.epoch(self._run, epoch + 1, line)

    def end(self) -> None:
        """Training is over."""
        self._watcher.end()

    def __enter__(self) -> Telling:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lifecycle is not None and self._begun:
            self._lifecycle.finished(self._run, self.result, error)
