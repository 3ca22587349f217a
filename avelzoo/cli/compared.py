"""Tables of a comparison in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo.cli import render

if TYPE_CHECKING:
    from rich.table import Table

    from avelzoo.comparing import TextTable


def comparison_table(shown: TextTable) -> Table:
    """The table, its numbers to the right; only the column of names breaks in lines."""
    names = "system" if "system" in shown.columns else shown.columns[0]
    right = [name for name in shown.columns[1:] if name not in shown.left]
    return render.table(shown.columns, shown.rows, title=shown.title, right=right, folded=names)
