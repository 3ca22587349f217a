"""What is shown while a run goes on."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


class Watcher(Protocol):
    """Is told how a run goes. Epochs and steps are counted from 0."""

    def begin(self, epochs: int, done: int) -> None:
        """Training begins, or goes on after ``done`` epochs."""

    def step(self, epoch: int, step: int, steps: int) -> None:
        """A step is done."""

    def epoch(self, epoch: int, line: Mapping[str, Any], best: bool) -> None:
        """An epoch is done; ``line`` is what ``metrics.jsonl`` says of it."""

    def end(self) -> None:
        """Training is over, one way or another."""


class Silent:
    """Shows nothing."""

    def begin(self, epochs: int, done: int) -> None:
        """Nothing."""

    def step(self, epoch: int, step: int, steps: int) -> None:
        """Nothing."""

    def epoch(self, epoch: int, line: Mapping[str, Any], best: bool) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


class Bar:
    """A bar on stderr: epochs, steps, the last epoch's loss and val accuracy."""

    def __init__(self) -> None:
        self._bar: RichProgress | None = None
        self._epochs = 0
        self._last = ""

    def begin(self, epochs: int, done: int) -> None:
        """Draw the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[now]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=Console(file=sys.stderr), transient=True)
        self._bar.start()
        self._epochs = epochs
        self._task = self._bar.add_task("training", total=epochs, completed=done, now="")

    def step(self, epoch: int, step: int, steps: int) -> None:
        """Move by a step."""
        if self._bar is not None:
            now = f"epoch {epoch + 1}/{self._epochs}  step {step + 1}/{steps}{self._last}"
            self._bar.update(self._task, completed=epoch + (step + 1) / steps, now=now)

    def epoch(self, epoch: int, line: Mapping[str, Any], best: bool) -> None:
        """Remember the epoch's figures."""
        accuracy = 100 * line["val"]["segment_accuracy"]
        self._last = f"  loss {line['loss']:.3f}  val {accuracy:.1f}"

    def end(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()


class Watched:
    """Context in which a watcher's ``end`` is certain."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher

    def __enter__(self) -> Watcher:
        return self.watcher

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.watcher.end()


def default_watcher(*, wanted: bool) -> Watcher:
    """A bar where a person looks on, nothing elsewhere."""
    return Bar() if wanted and sys.stderr.isatty() else Silent()
