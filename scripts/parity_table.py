"""Tabulates how far avelzoo's modules are from the recorded outputs of the public implementations.

Reads the recorded arrays that the parity tests read, and prints a row per fixture and mode. A difference of 1.00 would
be just what the recording allows.
"""

from __future__ import annotations

import sys
from pathlib import Path

from docs_markdown import table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.parity import fixtures

HEADER = ("recording", "mode", "arrays", "compared", "largest difference / tolerance", "in array")


def row(name: str, mode: str) -> list[str]:
    """One mode of one recording."""
    spec, got = fixtures.description(name), fixtures.outputs(name, mode)
    listed = [full for full, _, _ in spec["outputs"] if full.startswith(mode + ".")]
    found = fixtures.excesses(name, mode, got)
    if not found:
        return [name, mode, f"{len(listed)}", "0: values kept elsewhere", "", ""]
    worst = max(found, key=lambda key: found[key])
    return [name, mode, f"{len(listed)}", f"{len(found)}", f"{found[worst]:.3f}", f"`{worst}`"]


def main() -> int:
    """Print the table."""
    if not fixtures.FOLDER.is_dir():
        print("the recorded arrays are not beside this checkout", file=sys.stderr)
        return 1
    names = sorted(file.stem for file in fixtures.FOLDER.glob("*.json"))
    print("\n".join(table(HEADER, (row(name, mode) for name in names for mode in fixtures.modes(name)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
