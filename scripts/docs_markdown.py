"""Markdown, as the generated pages of the documentation use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
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


def filled(page: Path, kind: str, block: Callable[[str], str]) -> str:
    """A page whose blocks ``<!-- KIND: NAME -->`` to ``<!-- end -->`` hold what ``block`` returns for the name.

    Raises:
        SystemExit: a block has no end.
    """
    text = page.read_text("utf-8")
    mark = re.compile(rf"(<!-- {kind}: ([^\n]+) -->\n).*?(<!-- end -->)", re.DOTALL)
    if text.count(f"<!-- {kind}: ") != len(mark.findall(text)):
        raise SystemExit(f"{page}: a block '<!-- {kind}: ... -->' has no '<!-- end -->'")
    return mark.sub(lambda match: f"{match[1]}\n{block(match[2]).rstrip()}\n\n{match[3]}", text)


def shown(value: Any) -> str:
    """A value as one would type it."""
    if isinstance(value, list | tuple):
        return f"`{','.join(map(str, value))}`" if value else "none"
    if value is None:
        return "none"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"
