"""Markdown, as the generated pages of the documentation use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

NOTE = "<!-- Written by scripts/gen_docs.py; edit the docstrings and options it reads, not this page. -->"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A Markdown table."""
    header = list(header)
    yield "| " + " | ".join(header) + " |"
    yield "|" + " --- |" * len(header)
    for cells in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def shown(value: Any) -> str:
    """A value as one would type it."""
    if isinstance(value, list | tuple):
        return f"`{','.join(map(str, value))}`" if value else "none"
    if value is None:
        return "none"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"
