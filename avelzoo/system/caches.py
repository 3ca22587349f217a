"""The folder of this user's caches."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def cache_folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """``avelzoo`` in the platform's folder of caches; on Linux that of ``XDG_CACHE_HOME``, else ``~/.cache``.

    >>> cache_folder({"XDG_CACHE_HOME": "caches"}, "linux").name
    'avelzoo'
    """
    if platform == "win32":
        cache = Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    else:
        cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "avelzoo"
