"""What a larger bank, longer videos and more categories cost a training step, and how straight the line is."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np

from bench.parts import Options, Worker, in_turns
from bench.results import Row, Section

FACTORS = (0.25, 0.5, 1.0, 2.0)
AXES = {"bank": "slots per category", "segments": "segments per video", "categories": "categories"}


def measure(options: Options) -> Section:
    """Steps in which what grows is most of the work - the bank in small batches, the batch beside a small bank."""
    small = replace(options.sizes, batch=max(1, options.sizes.batch // 16))
    short = replace(options.sizes, batch=max(1, options.sizes.batch // 4), bank=max(1, options.sizes.bank // 8))
    rows: list[Row] = []
    figures: dict[str, dict[str, Any]] = {}
    for axis, words in AXES.items():
        base = short if axis == "segments" else small
        values = sorted({max(1, round(getattr(base, axis) * factor)) for factor in FACTORS})
        with ExitStack() as stack:
            workers = {
                str(value): stack.enter_context(Worker("avelzoo", options, sizes=replace(base, **{axis: value})))
                for value in values
            }
            seconds = in_turns(workers, "step", options.repeats)
            flops = [worker.ask(do="step flops")["flops"] for worker in workers.values()]
        times = [statistics.median(found) for found in seconds.values()]
        slope, start = np.polyfit(values, times, 1)
        rows.append(
            Row(
                name=f"{words}, {values[0]} to {values[-1]}",
                unit="s",
                value=float(slope * getattr(base, axis)),
                note=f"batches of {base.batch}, {base.bank} slots, {base.categories} categories; "
                f"R2 {straightness(values, times):.3f} in time, {straightness(values, flops):.3f} in FLOPs",
            )
        )
        figures[axis] = {"label": words, "values": values, "seconds": seconds, "median": times, "flops": flops}
        figures[axis] |= {"slope": float(slope), "intercept": float(start), "batch": base.batch}
    return Section(name="growth", rows=rows, facts=figures)


def straightness(x: list[int], y: list[float] | list[int]) -> float:
    """R2 of the best line; 1 where y does not vary."""
    left = np.asarray(y) - np.polyval(np.polyfit(x, y, 1), x)
    around = np.asarray(y, dtype=float) - np.mean(y)
    return 1.0 if not around.any() else float(1 - (left @ left) / (around @ around))
