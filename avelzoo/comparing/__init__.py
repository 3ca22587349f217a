"""Systems compared on the same videos: intervals, tests, floors and a verdict in sentences. Requires only numpy.

`folders` reads run folders and needs h5py.
"""

from __future__ import annotations

from avelzoo.comparing.comparing import compare
from avelzoo.comparing.comparison import Comparison, Group, Pair, Row, RowFloors
from avelzoo.comparing.presenting import groups_table, numbers_table, pairs_table, rows_table
from avelzoo.comparing.systems import Labelled, System
from avelzoo.comparing.tables import TextTable

__all__ = [
    "Comparison",
    "Group",
    "Labelled",
    "Pair",
    "Row",
    "RowFloors",
    "System",
    "TextTable",
    "compare",
    "groups_table",
    "numbers_table",
    "pairs_table",
    "rows_table",
]
