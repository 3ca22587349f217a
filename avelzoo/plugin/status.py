"""How plugins fared: a row for each, a warning for those that are left out."""

from __future__ import annotations

from dataclasses import dataclass

ENTRY_POINT = "entry point "
LOADED = "ok"


class PluginWarning(UserWarning):
    """A plugin could not be loaded; everything else goes on without it."""


@dataclass(frozen=True)
class PluginRecord:
    """One row of `avelzoo plugins`."""

    name: str
    distribution: str
    version: str
    source: str
    status: str
    error: str = ""
