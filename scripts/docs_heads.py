"""Tables of docs/worlds.md, from the runs in docs/results.

The page has blocks ``<!-- heads: GROUP SUPERVISION FILE PRECISION -->``. ``scripts/heads_on_worlds.py`` trains the
runs; ``gen_docs.py`` writes the blocks.
"""

from __future__ import annotations

from pathlib import Path

from docs_markdown import filled, table
from heads_on_worlds import GROUPS, HEADER, known_runs, lines

DOCS = Path(__file__).resolve().parent.parent / "docs"


def heads_pages(page: Path = DOCS / "worlds.md") -> dict[Path, str]:
    """The page with the runs that are there."""

    def block(name: str) -> str:
        group, supervision, file, precision = name.split()
        rows = lines(
            run
            for run in known_runs(DOCS / "results" / f"{file}.json").values()
            if run["row"] in GROUPS[group]
            and run["supervision"] == supervision
            and run.get("precision", "32") == precision
        )
        return "\n".join(table(HEADER, rows))

    return {page: filled(page, "heads", block)}
