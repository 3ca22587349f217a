"""Registers AVE-CLIP's architecture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo_baselines.ave_clip.configs import PAPER, AveClipConfig, EventGateConfig, SmoothedSingleConfig, ave_clip

if TYPE_CHECKING:
    from avelzoo import Registrar


def register(zoo: Registrar) -> None:
    """Offer AVE-CLIP's architecture."""
    zoo.paper(PAPER)
    zoo.encoder("ave-clip", AveClipConfig)
    zoo.head("smoothed-single", SmoothedSingleConfig)
    zoo.objective("event-gate", EventGateConfig)
    zoo.recipe("ave-clip", ave_clip)
