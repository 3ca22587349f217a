"""Registers MPN and its head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.mpn.configs import PAPER, MpnConfig, ParallelConfig, mpn

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer MPN and its head."""
    zoo.paper(PAPER)
    zoo.encoder("mpn", MpnConfig)
    zoo.head("parallel", ParallelConfig)
    zoo.recipe("mpn", mpn)
