"""Hooks that a plugin may implement, and their markers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import typer

    from avelzoo.engine import RunResult
    from avelzoo.plugin.listeners import RunView
    from avelzoo.plugin.registrar import Registrar

PROJECT = "avelzoo"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def avelzoo_register(zoo: Registrar) -> None:
    """Register components and recipes on ``zoo``. Must not import torch."""


@hookspec
def avelzoo_register_commands(app: typer.Typer) -> None:
    """Add commands or groups of commands to ``app``: ``@app.command()``. Only a running command may import torch.

    Built-in commands cannot be replaced: if a plugin tries, none of its commands is added.
    """


@hookspec
def avelzoo_run_started(run: RunView) -> None:
    """Called when a run begins or resumes after ``run.epochs_done`` epochs. Trackers cannot change the run."""


@hookspec
def avelzoo_epoch_finished(run: RunView, epoch: int, metrics: Mapping[str, float]) -> None:
    """Called after each epoch, counted from 1; ``metrics`` are numbers by dotted name, such as ``terms.event``."""


@hookspec
def avelzoo_run_finished(run: RunView, result: RunResult | None, error: BaseException | None) -> None:
    """Called when a run has ended, with its result or the error that ended it."""
