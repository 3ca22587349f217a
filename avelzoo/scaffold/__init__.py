"""New plugins: a package that is installable, typed and tested, or one file. Both pass their own checks."""

from __future__ import annotations

from avelzoo.scaffold.writing import KINDS, write_file, write_package

__all__ = ["KINDS", "write_file", "write_package"]
