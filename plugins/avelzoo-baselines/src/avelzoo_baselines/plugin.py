"""Registers every system of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo import hookimpl

if TYPE_CHECKING:
    from avelzoo import Registrar

SYSTEMS: tuple[str, ...] = (
    "shared",
    "cmran",
    "cmbs",
    "cace_net",
    "mm_pyramid",
    "avel2018",
    "psp",
    "cpsp",
    "avt",
    "spav",
    "dpnet",
    "ave_clip",
    "dam",
    "avin",
    "avsdn",
    "cman",
    "mpn",
)
"""One folder each, with a ``register(zoo)`` in its ``register`` module."""


@hookimpl
def avelzoo_register(zoo: Registrar) -> None:
    """Offer every system."""
    from importlib import import_module

    for system in SYSTEMS:
        import_module(f"avelzoo_baselines.{system}.register").register(zoo)
