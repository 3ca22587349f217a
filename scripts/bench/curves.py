"""Loss curves: the same data and initial weights, dropout on, and whether avelzoo differs more than a seed does."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import combinations

import numpy as np

from bench.parts import Options, Worker
from bench.results import Row, Section

BATCHES = 8


def measure(options: Options) -> Section:
    """Curves of the reference with two dropout seeds and of avelzoo in both precisions, step by step."""
    told = {
        "reference": ("reference", "32"),
        "reference, other dropout": ("reference", "32"),
        "float32": ("avelzoo", "32"),
        "bf16-mixed": ("avelzoo", "bf16-mixed"),
    }
    videos = BATCHES * options.curve.batch
    with ExitStack() as stack:
        workers = {
            key: stack.enter_context(
                Worker(name, options, sizes=options.curve, precision=precision, videos=videos, full=False)
            )
            for key, (name, precision) in told.items()
        }
        workers["reference, other dropout"].ask(do="reseed")
        losses = {key: [worker.ask(do="step")["loss"] for _ in range(options.steps)] for key, worker in workers.items()}
    smooth = {key: smoothed(values) for key, values in losses.items()}
    noise = apart(smooth["reference"], smooth["reference, other dropout"])
    rows = [
        Row(
            name=f"mean distance from the plain code over {options.steps} steps, {key}",
            unit="loss",
            value=apart(smooth["reference"], smooth[key]),
            references={"plain from itself, other dropout": noise},
            note=f"loss {losses['reference'][0]:.2f} -> {smooth['reference'][-1]:.2f}",
        )
        for key in ("float32", "bf16-mixed")
    ]
    pairs = {f"{a} / {b}": apart(smooth[a], smooth[b]) for a, b in combinations(smooth, 2)}
    return Section(name="curves", rows=rows, facts={"losses": losses, "distance": pairs})


def smoothed(values: list[float], window: int = 8) -> np.ndarray:
    """Means over a pass through the data."""
    width = min(window, len(values))
    means: np.ndarray = np.convolve(values, np.ones(width) / width, mode="valid")
    return means


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute difference."""
    return float(np.abs(a - b).mean())
