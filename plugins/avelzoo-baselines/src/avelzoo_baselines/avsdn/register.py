"""Registers AVSDN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.avsdn.configs import PAPER, AvsdnConfig, avsdn, avsdn_cpsp

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer AVSDN."""
    zoo.paper(PAPER)
    zoo.encoder("avsdn", AvsdnConfig)
    zoo.recipe("avsdn", avsdn)
    zoo.recipe("avsdn-cpsp", avsdn_cpsp)
