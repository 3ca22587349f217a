"""Counts the pairings of encoders, heads, memories and supervisions that train and answer, and those refused."""

from __future__ import annotations

import sys
from collections import Counter

from docs_markdown import table

from avelzoo.plugin.default import default_host
from avelzoo.testing.grid import walk_encoder

HEADER = ("encoder", "pairings", "run", "refused")


def main() -> int:
    """Walk the grid on tiny worlds and print two tables."""
    registry = default_host().registry
    rows, reasons = [], Counter[str]()
    for entry in registry.entries("encoder"):
        pairings = list(walk_encoder(registry, entry))
        refused = [pairing for pairing in pairings if pairing.refusal]
        reasons.update(pairing.refusal for pairing in refused)
        rows.append((entry.name, len(pairings), len(pairings) - len(refused), len(refused)))
    sums = ("all", *(sum(row[i] for row in rows) for i in (1, 2, 3)))
    print("\n".join(table(HEADER, ([f"`{name}`", *map(str, counts)] for name, *counts in [*rows, sums]))))
    print("\n".join(table(("refusal", "pairings"), ([why, str(count)] for why, count in reasons.most_common()))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
