"""``make bench``: the table of ratios, as JSON and as a plot too.

Reference, avelzoo and floor take turns in one run, so that a busy machine slows all alike; ratios are medians over the
turns. Figures of different runs are not to be compared.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import torch
from rich.console import Console

from avelzoo import __version__
from bench.output import plot, table
from bench.parts import Options, Section
from bench.sizes import TINY, Sizes

SECTIONS = ("training", "evaluation", "curves", "growth", "data", "startup")
"""Modules of this folder with a function ``measure(options) -> Section``; a further section is a further name."""


def main(argv: list[str] | None = None) -> int:
    """Measure, print, write."""
    chosen = _parser().parse_args(argv)
    sizes = TINY if chosen.tiny else Sizes()
    if chosen.batch_size:
        sizes = replace(sizes, batch=chosen.batch_size)
    curve = sizes if chosen.tiny else replace(sizes, batch=16, bank=4, grid=4)
    options = Options(
        sizes=sizes,
        curve=curve,
        repeats=chosen.repeats,
        steps=chosen.steps,
        videos=min(chosen.videos, 2 * sizes.batch) if chosen.tiny else chosen.videos,
        threads=chosen.threads,
        stored=40 if chosen.tiny else chosen.stored,
        scratch=chosen.scratch,
    )
    console, sections = Console(width=None if sys.stdout.isatty() else 200), []
    for name in chosen.only or SECTIONS:
        began = time.perf_counter()
        section: Section = importlib.import_module(f"bench.{name}").measure(options)
        sections.append(section)
        console.print(f"{name}: measured in {time.perf_counter() - began:.0f} s", style="dim")
    title = f"ead-b, batch {sizes.batch}, bank {sizes.bank}, {options.threads} threads, median of {options.repeats}"
    console.print(title)
    console.print(table(sections))
    chosen.out.mkdir(parents=True, exist_ok=True)
    found = {
        "avelzoo": __version__,
        "torch": torch.__version__,
        "machine": platform.machine(),
        "options": asdict(options) | {"scratch": None},
        "sections": {s.name: {"rows": [asdict(row) for row in s.rows], "figures": s.figures} for s in sections},
    }
    (chosen.out / "bench.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    plot(sections, chosen.out / "bench.png", title)
    console.print(f"{chosen.out / 'bench.json'}, {chosen.out / 'bench.png'}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=SECTIONS, help="a section alone; repeatable")
    parser.add_argument("--batch-size", type=int, help="videos per step (default: 128)")
    parser.add_argument("--repeats", type=int, default=5, help="turns behind each median (default: 5)")
    parser.add_argument("--steps", type=int, default=20, help="steps of the loss curves (default: 20; 200 to be sure)")
    parser.add_argument("--videos", type=int, default=402, help="videos that are evaluated (default: AVE's test split)")
    parser.add_argument("--stored", type=int, default=512, help="videos that are written and read (default: 512, 1 GB)")
    parser.add_argument(
        "--scratch", type=Path, help="folder on the disk whose speed is asked for (default: a temporary)"
    )
    parser.add_argument("--threads", type=int, default=2, help="threads of each process (default: 2)")
    parser.add_argument("--tiny", action="store_true", help="toy sizes: whether it works, not how fast anything is")
    parser.add_argument("--out", type=Path, default=Path("bench"), help="folder of bench.json and bench.png")
    return parser


if __name__ == "__main__":
    sys.exit(main())
