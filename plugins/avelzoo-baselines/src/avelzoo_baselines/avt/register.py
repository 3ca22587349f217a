"""Registers AVT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.avt.configs import PAPER, AVTConfig, avt

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer AVT."""
    zoo.paper(PAPER)
    zoo.encoder("avt", AVTConfig)
    zoo.recipe("avt", avt)
