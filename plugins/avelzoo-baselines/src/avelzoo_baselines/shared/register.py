"""Registers the heads, objectives and terms that several systems share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.shared.configs import GatedDoubleConfig, LayeredSingleConfig, PooledSingleConfig, VideoConfig

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Register the shared components."""
    zoo.head("gated-double", GatedDoubleConfig)
    zoo.head("layered-single", LayeredSingleConfig)
    zoo.head("pooled-single", PooledSingleConfig)
    zoo.objective("video", VideoConfig)
