"""The progress bar of a run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

from avelzoo.plugin.listeners import Listener, RunView

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from avelzoo.engine.result import RunResult


@final
class ProgressBar(Listener):
    """Progress bar with epochs, steps, last loss and val accuracy, if stderr is a terminal."""

    def __init__(self) -> None:
        self._bar: RichProgress | None = None
        self._epochs = 0
        self._last = ""

    def run_started(self, run: RunView) -> None:
        """Draw the bar."""
        if not sys.stderr.isatty():
            return
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
        self._epochs = run.composition.recipe.train.epochs
        self._task = self._bar.add_task("training", total=self._epochs, completed=run.epochs_done, now="")

    def step_finished(self, epoch: int, step: int, steps: int) -> None:
        """Advance by a step."""
        if self._bar is not None:
            now = f"epoch {epoch + 1}/{self._epochs}  step {step + 1}/{steps}{self._last}"
            self._bar.update(self._task, completed=epoch + (step + 1) / steps, now=now)

    def epoch_finished(self, epoch: int, metrics: Mapping[str, Any], best: bool) -> None:
        """Store the epoch's loss and val accuracy."""
        accuracy = 100 * (metrics["val"]["segment_accuracy"] or 0.0)
        self._last = f"  loss {metrics['loss']:.3f}  val {accuracy:.1f}"

    def run_finished(self, result: RunResult | None, error: BaseException | None) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
