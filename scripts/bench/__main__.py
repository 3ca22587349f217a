"""``make bench``: avelzoo's speed and memory beside the arithmetic floor and the best plain code.

The floor, the plain code and avelzoo take turns in one run, so a busy machine slows all alike; ratios are valid within
a run only. Results replace their parts of a JSON file, from which pages and pictures are generated.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from bench.machine import described, load, machine
from bench.output import tables
from bench.parts import Options
from bench.results import RESULTS, Section, record
from bench.sizes import TINY, Sizes

PARTS = ("training", "evaluation", "recipes", "contention", "startup", "layouts", "curves", "growth", "data", "media")
"""Modules of this folder with a function ``measure(options) -> Section``."""


def main(argv: list[str] | None = None) -> int:
    """Measure, print, write."""
    chosen = _parser().parse_args(argv)
    options = _options(chosen)
    console = Console(stderr=chosen.json, width=None if sys.stdout.isatty() else 200)
    sections: list[Section] = []
    names = chosen.only or PARTS
    for place, name in enumerate(names, 1):
        console.print(f"{place} of {len(names)}: {name} ...", style="dim")
        began, facts = time.perf_counter(), machine(options.threads)
        section: Section = importlib.import_module(f"bench.{name}").measure(options)
        took = time.perf_counter() - began
        facts |= {"load_after": load(), "seconds": round(took)}
        sections.append(replace(section, machine=facts))
        record(sections[-1:], chosen.out)  # an interruption keeps the parts before it
        console.print(*tables(sections[-1:]), f"{took:.0f} s", "", sep="\n")
    console.print(described(sections[0].machine), f"written to {chosen.out}", sep="\n")
    if chosen.json:
        json.dump({section.name: section.to_dict() for section in sections}, sys.stdout, indent=1)
        sys.stdout.write("\n")
    return 0


def _options(chosen: argparse.Namespace) -> Options:
    sizes = TINY if chosen.tiny else Sizes()
    if chosen.batch_size:
        sizes = replace(sizes, batch=chosen.batch_size)
    return Options(
        sizes=sizes,
        curve=sizes if chosen.tiny else replace(sizes, batch=16, bank=4, grid=4),
        repeats=chosen.repeats,
        steps=chosen.steps,
        videos=2 * sizes.batch if chosen.tiny else chosen.videos,
        threads=chosen.threads,
        stored=40 if chosen.tiny else chosen.stored,
        scratch=chosen.scratch,
        before=chosen.before.resolve() if chosen.before else None,
        window=chosen.window,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS, help="one part; repeatable")
    parser.add_argument("--json", action="store_true", help="print only JSON on stdout")
    parser.add_argument("--before", type=Path, help="checkout of an earlier avelzoo, measured in the same turns")
    parser.add_argument("--batch-size", type=int, help="videos per step (default: 128)")
    parser.add_argument("--repeats", type=int, default=3, help="turns behind each median (default: 3)")
    parser.add_argument("--steps", type=int, default=20, help="steps of the loss curves (default: 20)")
    parser.add_argument("--videos", type=int, default=256, help="videos of an evaluation (default: 256)")
    parser.add_argument("--stored", type=int, default=512, help="videos written and read (default: 512, 1 GB)")
    parser.add_argument("--scratch", type=Path, help="folder on the disk to measure (default: a temporary folder)")
    parser.add_argument("--threads", type=int, default=2, help="threads of each process (default: 2)")
    parser.add_argument("--window", type=float, default=12.0, help="seconds of each contention measurement")
    parser.add_argument("--tiny", action="store_true", help="toy sizes, to test the script")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON file (default: docs/results/performance.json)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
