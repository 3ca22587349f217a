"""Tables of docs/worlds.md, from the runs in docs/results.

The page has a block for a table: ``<!-- heads: GROUP SUPERVISION FILE PRECISION -->``, the table, ``<!-- end -->``.
``scripts/heads_on_worlds.py`` trains the runs; ``gen_docs.py`` writes the blocks.
"""

from __future__ import annotations

import re
from pathlib import Path

from docs_markdown import table
from heads_on_worlds import GROUPS, HEADER, known_runs, lines

DOCS = Path(__file__).resolve().parent.parent / "docs"
MARK = re.compile(r"(<!-- heads: (\w+) (\w+) ([\w-]+) ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def heads_pages(page: Path = DOCS / "worlds.md") -> dict[Path, str]:
    """The page with the runs that are there."""

    def block(match: re.Match[str]) -> str:
        mark, group, supervision, file, precision, end = match.groups()
        rows = lines(
            run
            for run in known_runs(DOCS / "results" / f"{file}.json").values()
            if run["row"] in GROUPS[group]
            and run["supervision"] == supervision
            and run.get("precision", "32") == precision
        )
        return mark + "\n" + "\n".join(table(HEADER, rows)) + "\n" + end

    return {page: MARK.sub(block, page.read_text("utf-8"))}
