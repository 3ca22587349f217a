"""Draws the timeline of a real clip for the pages: events by name, found without training.

Usage: ``python scripts/clip_picture.py crystal.webm`` writes docs/pictures/clip.svg. With ``--check`` nothing is
written, and the exit code is 1 if the words of the picture are not those of a new prediction. The clip (CC0) is not
part of the repository; the networks' weights are those of the packages in requirements/weights.txt.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "clip.svg"
EVENTS = "white noise, water"


def drawn(clip: Path) -> str:
    """The picture that ``avelzoo predict`` makes of the clip.

    Raises:
        SystemExit: prediction failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["predict", str(clip), "--events", EVENTS, "--plot", "--out", folder, "--quiet"]
        done = subprocess.run([sys.executable, "-m", "avelzoo", *command], check=False)
        if done.returncode:
            raise SystemExit(done.returncode)
        return (Path(folder) / f"{clip.name}.svg").read_text("utf-8")


def words(svg: str) -> list[str]:
    """Titles, description and labels: what a picture says, without frames and sound."""
    return re.findall(r">([^<>\n]+)</(?:text|title|desc)>", svg)


def main() -> int:
    """Write the picture, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path, help="video file")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    chosen = parser.parse_args()
    found = drawn(chosen.clip)
    if chosen.check:
        same = words(found) == words(PICTURE.read_text("utf-8"))
        print(f"{PICTURE.name} is {'up to date' if same else 'not what this version draws'}", file=sys.stderr)
        return 0 if same else 1
    PICTURE.write_text(found, encoding="utf-8")
    print(f"wrote {PICTURE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
