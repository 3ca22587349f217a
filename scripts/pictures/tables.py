"""Numbers of a page's tables, so that a page and its picture have one source."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
NUMBER = re.compile(r"-?[\d,]*\d(?:\.\d+)?")


def page(name: str) -> Path:
    """The page of this file name, in any folder of the documentation.

    Raises:
        LookupError: there is none, or more than one.
    """
    found = sorted(DOCS.rglob(name))
    if len(found) != 1:
        raise LookupError(f"{len(found)} pages are called {name}")
    return found[0]


def table(name: str, heading: str) -> list[list[str]]:
    """Cells of the first table below a heading, without its header; the marks of bold text are dropped.

    Raises:
        LookupError: the page has no such heading or no table below it.
    """
    text = page(name).read_text("utf-8")
    _, found, rest = text.partition(f"\n{heading}\n")
    lines = re.search(r"(?:^\|.*\n)+", rest, re.MULTILINE)
    if not found or lines is None:
        raise LookupError(f"{name} has no table below {heading!r}")
    rows = [line.strip().strip("|").split("|") for line in lines.group().splitlines()]
    return [[cell.strip().replace("**", "") for cell in row] for row in rows[2:]]


def value(cell: str) -> float:
    """The first number of a cell.

    >>> value("2,017,280 bytes"), value("0.4 ms, 4.7 GB/s")
    (2017280.0, 0.4)

    Raises:
        ValueError: there is none.
    """
    found = NUMBER.search(cell)
    if found is None:
        raise ValueError(f"{cell!r} has no number")
    return float(found.group().replace(",", ""))
