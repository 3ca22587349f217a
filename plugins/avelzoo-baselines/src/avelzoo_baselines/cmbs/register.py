"""Registers CMBS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.cmbs.configs import PAPER, CmbsConfig, CmbsHeadConfig, CmbsObjectiveConfig, CmbsWeakHeadConfig
from avelzoo_baselines.cmbs.official import Cmbs2022
from avelzoo_baselines.cmbs.recipes import cmbs, cmbs_official

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer CMBS."""
    zoo.paper(PAPER)
    zoo.encoder("cmbs", CmbsConfig)
    zoo.head("cmbs", CmbsHeadConfig)
    zoo.head("cmbs-weak", CmbsWeakHeadConfig)
    zoo.objective("cmbs", CmbsObjectiveConfig)
    zoo.recipe("cmbs", cmbs)
    zoo.recipe("cmbs-official", cmbs_official)
    zoo.published_code("cmbs", Cmbs2022)
