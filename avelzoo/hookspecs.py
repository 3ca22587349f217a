"""The hooks a plugin may implement, and the markers to do so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from avelzoo.registry import Registrar

PROJECT = "avelzoo"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def avelzoo_register(zoo: Registrar) -> None:
    """Register components and recipes on ``zoo``. Must not import torch."""
