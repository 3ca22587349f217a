"""Registers CMRAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.cmran.configs import PAPER, CmranConfig, cmran, cmran_official
from avelzoo_baselines.cmran.official import Cmran2020

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer CMRAN."""
    zoo.paper(PAPER)
    zoo.encoder("cmran", CmranConfig)
    zoo.recipe("cmran", cmran)
    zoo.recipe("cmran-official", cmran_official)
    zoo.published_code("cmran", Cmran2020)
