"""Registers the data set and the command that makes a synthetic folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo import Registrar, hookimpl
from avelzoo_ov_ave.configs import OvAveConfig

if TYPE_CHECKING:
    import typer


@hookimpl
def avelzoo_register(zoo: Registrar) -> None:
    """Offer the data set ``ov-ave``."""
    zoo.dataset("ov-ave", OvAveConfig)


@hookimpl
def avelzoo_register_commands(app: typer.Typer) -> None:
    """Offer ``avelzoo ov-ave-simulate``."""
    from avelzoo_ov_ave.commands import simulate

    app.command("ov-ave-simulate")(simulate)
