"""The hooks a plugin may implement, and the markers to do so."""

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
    """Add commands, or groups of commands, to ``app``: ``@app.command()``. Must not import torch before one runs.

    A built-in command cannot be replaced: a plugin that tries brings none of its commands.
    """


@hookspec
def avelzoo_run_started(run: RunView) -> None:
    """A run begins, or goes on after ``run.epochs_done`` epochs. For trackers; nothing here can change the run."""


@hookspec
def avelzoo_epoch_finished(run: RunView, epoch: int, metrics: Mapping[str, float]) -> None:
    """An epoch is done, counted from 1; ``metrics`` are its numbers by dotted names, such as ``terms.event``."""


@hookspec
def avelzoo_run_finished(run: RunView, result: RunResult | None, error: BaseException | None) -> None:
    """A run is over: with its result, or with the error that ended it."""
