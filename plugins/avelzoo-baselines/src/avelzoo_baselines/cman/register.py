"""Registers CMAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.cman.configs import PAPER, CmanConfig, cman

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer CMAN."""
    zoo.paper(PAPER)
    zoo.encoder("cman", CmanConfig)
    zoo.recipe("cman", cman)
