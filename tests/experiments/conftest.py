"""The fixtures of the command line."""

from __future__ import annotations

from tests.cli.conftest import call, shell

__all__ = ["call", "shell"]
