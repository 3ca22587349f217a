"""Registers the launcher."""

from __future__ import annotations

from avelzoo import Registrar, hookimpl
from avelzoo_ray.config import RayConfig


@hookimpl
def avelzoo_register(zoo: Registrar) -> None:
    """Offer the launcher ``ray``."""
    zoo.launcher("ray", RayConfig)
