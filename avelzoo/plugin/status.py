"""Status of plugins: one row per plugin, a warning for plugins that failed to load."""

from __future__ import annotations

from dataclasses import dataclass

ENTRY_POINT = "entry point "
LOADED = "ok"


class PluginWarning(UserWarning):
    """A plugin could not be loaded; everything else works without it."""


@dataclass(frozen=True)
class PluginRecord:
    """One row of `avelzoo plugins`."""

    name: str
    distribution: str
    version: str
    source: str
    status: str
    error: str = ""
