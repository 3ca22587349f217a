"""Writes the golden files anew, after a change made on purpose; numbers that differ by rounding alone are kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.golden.cells import COMPOSITIONS, NUMBERS, cells, composition, numbers, renewed

if __name__ == "__main__":
    found = dict(cells())
    for file, make in ((COMPOSITIONS, composition), (NUMBERS, numbers)):
        data = renewed({name: make(recipe) for name, recipe in found.items()}, json.loads(file.read_text("utf-8")))
        file.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
