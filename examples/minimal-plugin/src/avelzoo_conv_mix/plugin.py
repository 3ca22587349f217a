"""Registers the encoder 'conv-mix'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo import hookimpl
from avelzoo_conv_mix.config import ConvMixConfig

if TYPE_CHECKING:
    from avelzoo import Registrar


@hookimpl
def avelzoo_register(zoo: Registrar) -> None:
    """Offer the encoder."""
    zoo.encoder("conv-mix", ConvMixConfig)
