"""Registers DPNet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.dpnet.configs import PAPER, DPNetConfig, ReplicateConfig, dpnet

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer DPNet."""
    zoo.paper(PAPER)
    zoo.encoder("dpnet", DPNetConfig)
    zoo.transform("replicate", ReplicateConfig)
    zoo.recipe("dpnet", dpnet)
