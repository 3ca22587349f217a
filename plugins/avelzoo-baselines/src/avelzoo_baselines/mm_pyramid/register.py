"""Registers MM-Pyramid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.mm_pyramid.configs import PAPER, MMPyramidConfig, mm_pyramid

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer MM-Pyramid."""
    zoo.paper(PAPER)
    zoo.encoder("mm-pyramid", MMPyramidConfig)
    zoo.recipe("mm-pyramid", mm_pyramid)
