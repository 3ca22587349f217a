"""Registers AVEL 2018."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.avel2018 import recipes
from avelzoo_baselines.avel2018.configs import Avel2018Config, Avel2018DmrnConfig, SegmentConfig
from avelzoo_baselines.avel2018.official import Ave2018, Ave2018Dmrn

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer AVEL 2018."""
    zoo.encoder("avel2018", Avel2018Config)
    zoo.encoder("avel2018-dmrn", Avel2018DmrnConfig)
    zoo.objective("avel2018", SegmentConfig)
    zoo.recipe("avel2018", recipes.avel2018)
    zoo.recipe("avel2018-official", recipes.avel2018_official)
    zoo.recipe("avel2018-dmrn", recipes.avel2018_dmrn)
    zoo.recipe("avel2018-dmrn-official", recipes.avel2018_dmrn_official)
    zoo.published_code("ave2018", Ave2018)
    zoo.published_code("ave2018dmrn", Ave2018Dmrn)
