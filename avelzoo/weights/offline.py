"""Environment variables that forbid the network."""

from __future__ import annotations

import os
from collections.abc import Mapping

_SWITCHES = ("AVELZOO_OFFLINE", "HF_HUB_OFFLINE")


def offline_by_environment(environ: Mapping[str, str] = os.environ) -> str:
    """Name of the environment variable that forbids the network; empty if none does."""
    said = {name: environ.get(name, "").strip().lower() for name in _SWITCHES}
    return next((name for name, value in said.items() if value not in ("", "0", "false", "no", "off")), "")
