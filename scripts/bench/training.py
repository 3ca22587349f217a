"""A training step: time and peak memory in float32 and mixed precision, each subject in a process of its own."""

from __future__ import annotations

import statistics
from contextlib import ExitStack

from bench.floor import TYPES, product_speeds
from bench.parts import Options, Worker, in_turns
from bench.results import Goal, Row, Section

NAMES = {"32": "float32", "bf16-mixed": "bf16-mixed"}
SHARES = {"32": 0.8, "bf16-mixed": 0.55}
GIGABYTE = 1500.0


def measure(options: Options) -> Section:
    """Steps in turns; their arithmetic; the most memory that each process held."""
    with ExitStack() as stack:
        workers = {
            (name, precision): stack.enter_context(Worker(name, options, precision=precision))
            for precision in TYPES
            for name in ("reference", "avelzoo", *options.earlier)
        }
        seconds = in_turns(workers, "step", options.repeats)
        memory = {key: worker.ask(do="memory") for key, worker in workers.items()}
        flops = workers["avelzoo", "32"].ask(do="step flops")["flops"]
    speeds = product_speeds(options)
    middle = {key: statistics.median(values) for key, values in seconds.items()}
    peak = {key: value["peak_mb"] for key, value in memory.items()}

    def row(name: str, unit: str, of: dict[tuple[str, str], float], precision: str) -> Row:
        return Row(
            name=f"{name}, {NAMES[precision]}",
            unit=unit,
            value=of["avelzoo", precision],
            before=of.get(("before", precision)),
            references={f"plain, {NAMES[p]}": of["reference", p] for p in TYPES},
            floor=flops / speeds[precision]["step"] if unit == "s" else memory["avelzoo", precision]["held_mb"],
            goal=Goal(of="share", limit=SHARES[precision]) if unit == "s" else Goal(of="value", limit=GIGABYTE),
        )

    rows = [row("training step", "s", middle, precision) for precision in TYPES]
    rows += [row("peak memory of training", "MiB", peak, precision) for precision in TYPES]
    return Section(
        name="training",
        rows=rows,
        facts={
            "flops": flops,
            "products": speeds,
            "seconds": {f"{name}, {NAMES[p]}": values for (name, p), values in seconds.items()},
            "memory_mb": {f"{name}, {NAMES[p]}": values for (name, p), values in memory.items()},
        },
    )
