"""Registers SPAV and its span head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.spav.configs import PAPER, MixupConfig, SpanConfig, SpanObjectiveConfig, SpavConfig, spav

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer SPAV and its span head."""
    zoo.paper(PAPER)
    zoo.encoder("spav", SpavConfig)
    zoo.head("span", SpanConfig)
    zoo.objective("span", SpanObjectiveConfig)
    zoo.transform("mixup", MixupConfig)
    zoo.recipe("spav", spav)
