"""The three lifecycle hooks of a tracker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from avelzoo import hookimpl

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from avelzoo import RunResult, RunView

_writers: dict[Path, SummaryWriter] = {}


@hookimpl
def avelzoo_run_started(run: RunView) -> None:
    """Open the event file; what an interrupted run wrote beyond its saved epochs is hidden."""
    from torch.utils.tensorboard import SummaryWriter

    folder = run.path / "tensorboard"
    _writers[run.path] = SummaryWriter(str(folder), purge_step=run.epochs_done + 1)


@hookimpl
def avelzoo_epoch_finished(run: RunView, epoch: int, metrics: Mapping[str, float]) -> None:
    """One scalar for each number of the epoch: ``val.segment_accuracy`` is shown under ``val``."""
    writer = _writers[run.path]
    for name, value in metrics.items():
        if name != "epoch":
            writer.add_scalar(name.replace(".", "/"), value, epoch)


@hookimpl
def avelzoo_run_finished(run: RunView, result: RunResult | None, error: BaseException | None) -> None:
    """Close the event file, with the test score beside the options where there is one."""
    writer = _writers.pop(run.path)
    if result is not None:
        writer.add_scalar("test/segment_accuracy", result.scores["test"].segment_accuracy, result.best_epoch)
    writer.close()
