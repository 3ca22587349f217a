"""Registers AVIN and AVFB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.avin.configs import AVFB, AVIN, AvfbConfig, AvinConfig, avfb, avin

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer AVIN and AVFB."""
    zoo.paper(AVIN)
    zoo.paper(AVFB)
    zoo.encoder("avin", AvinConfig)
    zoo.encoder("avfb", AvfbConfig)
    zoo.recipe("avin", avin)
    zoo.recipe("avfb", avfb)
