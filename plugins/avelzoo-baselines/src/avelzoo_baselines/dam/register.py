"""Registers DAM and its matching head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.dam.configs import PAPER, DamConfig, MatchingConfig, dam

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer DAM and its matching head."""
    zoo.paper(PAPER)
    zoo.encoder("dam", DamConfig)
    zoo.head("matching", MatchingConfig)
    zoo.recipe("dam", dam)
