"""Measurements from which docs/how-to/scale.md plans, written to docs/results/scale.json.

``units``: bytes and time of a video, a segment and a slot. ``slices``: a bank of up to 1,000 categories under a memory
limit. ``million``: labels, reading and scores of a million videos. Each case runs in a process of its own. Times are
those of this machine as it is; on a busy one they are too long.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from bench.machine import machine
from scaling import million, slices, units

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "results" / "scale.json"
PARTS = ("units", "slices", "million")


def apart(function: Callable[..., Any], *given: Any) -> Any:
    """The function's result from a fresh process, whose peak memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, given)


def measure(part: str, videos: int, cases: list[tuple[int, int]]) -> Any:
    """One part."""
    if part == "units":
        return apart(units.measure)
    if part == "slices":
        return [apart(slices.measured, *case) for case in cases]
    return apart(million.measured, videos)


def main() -> None:
    """Measure parts, and write them beside the earlier ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to measure")
    parser.add_argument("--videos", type=int, default=1_000_000, help="videos of the part 'million'")
    parser.add_argument("--json", type=Path, default=RESULTS, help="file to write")
    arguments = parser.parse_args()
    found: dict[str, Any] = json.loads(arguments.json.read_text("utf-8")) if arguments.json.exists() else {}
    for part in arguments.only:
        began = time.perf_counter()
        found[part] = {
            "machine": machine(torch.get_num_threads()),
            "found": measure(part, arguments.videos, list(slices.CASES)),
        }
        print(f"{part}: {time.perf_counter() - began:.0f} s", flush=True)
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
