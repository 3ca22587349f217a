"""A paper's tables and figures by name: a plan that is hashed before the first run, runs, tables and charts."""

from __future__ import annotations
