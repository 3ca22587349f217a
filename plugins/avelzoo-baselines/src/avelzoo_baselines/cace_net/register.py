"""Registers CACE-Net."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.cace_net.configs import PAPER, CaceNetConfig, CaceNetHeadConfig, CaceNetObjectiveConfig
from avelzoo_baselines.cace_net.official import CaceNet2024
from avelzoo_baselines.cace_net.recipes import cace_net, cace_net_official

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer CACE-Net."""
    zoo.paper(PAPER)
    zoo.encoder("cace-net", CaceNetConfig)
    zoo.head("cace-net", CaceNetHeadConfig)
    zoo.objective("cace-net", CaceNetObjectiveConfig)
    zoo.recipe("cace-net", cace_net)
    zoo.recipe("cace-net-official", cace_net_official)
    zoo.published_code("cacenet", CaceNet2024)
