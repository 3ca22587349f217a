"""New plugin packages: an installable, typed, tested start that passes its own checks."""

from __future__ import annotations

from avelzoo.scaffold.writing import KINDS, write_package

__all__ = ["KINDS", "write_package"]
