"""Tables of measured figures in the pages, from docs/results/performance.json.

A page has a block for a part of the file: ``<!-- bench: PART -->``, the table, ``<!-- end -->``. ``make bench``
measures the parts; ``gen_docs.py`` writes the blocks of all pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.machine import described
from bench.results import Section, cells, columns, load
from docs_markdown import filled

DOCS = Path(__file__).resolve().parent.parent / "docs"
LEFT = ("", "goal", "note")


def performance_pages(docs: Path = DOCS, results: Mapping[str, Section] | None = None) -> dict[Path, str]:
    """Every page with blocks, and its text with the present figures.

    Raises:
        SystemExit: a block has no end.
    """
    found = load() if results is None else results
    pages = {page: filled(page, "bench", lambda name: _block(name, found)) for page in sorted(docs.rglob("*.md"))}
    return {page: text for page, text in pages.items() if "<!-- bench: " in text}


def _block(name: str, results: Mapping[str, Section]) -> str:
    if name not in results:
        return f"Not measured yet: `make bench BENCH='--only {name}'`.\n"
    return "\n".join([*table(results[name]), *_footnotes(results[name])]) + "\n"


def table(section: Section) -> Iterator[str]:
    """Rows as Markdown; a met goal and the share of the floor are bold."""
    titles = columns(section.rows)
    yield "| " + " | ".join(titles) + " |"
    yield "|" + "|".join(" --- " if title in LEFT else " ---: " for title in titles) + "|"
    for texts in cells(section.rows):
        marked = [f"**{t}**" if t and title == "share of floor" else t for title, t in zip(titles, texts, strict=True)]
        yield "| " + " | ".join(text.replace("|", "\\|") for text in marked) + " |"


def _footnotes(section: Section) -> Iterator[str]:
    """Speeds of products, the machine, and whether others used it."""
    speeds: Mapping[str, Any] | None = section.facts.get("products")
    if speeds:
        single, half = (speeds[precision] for precision in ("32", "bf16-mixed"))
        yield ""
        yield (
            f"Matrix products here: float32 {single['step'] / 1e9:.0f} GFLOP/s (forward {single['forward'] / 1e9:.0f}, "
            f"backward {single['backward'] / 1e9:.0f}), bf16 {half['step'] / 1e9:.0f} GFLOP/s "
            f"({half['forward'] / 1e9:.0f}, {half['backward'] / 1e9:.0f})."
        )
    if section.machine:
        yield from ("", f"{described(section.machine)}.")
    if (section.machine.get("load") or 0) > 0.5 * section.machine.get("cores", 1):
        yield "Other programs used the cores, so times are too long; ratios and shares are from the same turns."
