"""Registers CPSP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.cpsp.configs import PAPER, CpspConfig, CpspObjectiveConfig
from avelzoo_baselines.cpsp.official import Cpsp2022
from avelzoo_baselines.cpsp.recipes import cpsp, cpsp_official

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer CPSP."""
    zoo.paper(PAPER)
    zoo.encoder("cpsp", CpspConfig)
    zoo.objective("cpsp", CpspObjectiveConfig)
    zoo.recipe("cpsp", cpsp)
    zoo.recipe("cpsp-official", cpsp_official)
    zoo.published_code("cpsp", Cpsp2022)
