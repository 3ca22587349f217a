"""The table that is printed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from bench.floor import told
from bench.results import Section, cells, columns

TEXT = ("", "note", "goal")


def tables(sections: Sequence[Section]) -> list[Table]:
    """A table for each part: share of the floor first, then the goal, the values, and their ratios in brackets."""
    found = []
    for section in sections:
        speeds = section.facts.get("products")
        grid = Table(title=section.name, title_justify="left", caption=speeds and told(speeds), caption_justify="left")
        for column in columns(section.rows):
            grid.add_column(column, justify="left" if column in TEXT else "right")
        for texts in cells(section.rows):
            grid.add_row(*texts)
        found.append(grid)
    return found
