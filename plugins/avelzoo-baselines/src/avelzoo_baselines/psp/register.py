"""Registers PSP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.psp.configs import PAPER, FirstBatchConfig, PspConfig, PspObjectiveConfig
from avelzoo_baselines.psp.official import Psp2021
from avelzoo_baselines.psp.recipes import psp, psp_official

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer PSP."""
    zoo.paper(PAPER)
    zoo.encoder("psp", PspConfig)
    zoo.objective("psp", PspObjectiveConfig)
    zoo.sampler("first-batch", FirstBatchConfig)
    zoo.recipe("psp", psp)
    zoo.recipe("psp-official", psp_official)
    zoo.published_code("psp", Psp2021)
