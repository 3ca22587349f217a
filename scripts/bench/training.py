"""A training step: time in float32 and mixed precision, and peak memory, each subject in a process of its own."""

from __future__ import annotations

import statistics
from contextlib import ExitStack

from bench.floor import throughput
from bench.parts import Options, Row, Section, Worker, in_turns, ratio

SUBJECTS = {"reference": ("reference", "32"), "avelzoo": ("avelzoo", "32"), "mixed": ("avelzoo", "bf16-mixed")}


def measure(options: Options) -> Section:
    """Steps in turns; their arithmetic; what each process held at most."""
    with ExitStack() as stack:
        workers = {
            key: stack.enter_context(Worker(name, options, precision=precision))
            for key, (name, precision) in SUBJECTS.items()
        }
        seconds = in_turns(workers, "step", options.repeats)
        memory = {key: worker.ask(do="memory") for key, worker in workers.items()}
        flops = workers["avelzoo"].ask(do="step flops")["flops"]
    speed = throughput(options)
    middle = {key: statistics.median(values) for key, values in seconds.items()}
    peak = {key: value["peak_mb"] for key, value in memory.items()}
    rows = [
        Row(
            name="training step, float32",
            unit="s",
            reference=middle["reference"],
            ours=middle["avelzoo"],
            floor=flops / speed["32"],
            ratio=ratio(seconds["reference"], seconds["avelzoo"]),
            goal="1.7",
        ),
        Row(
            name="training step, bf16-mixed",
            unit="s",
            reference=middle["reference"],
            ours=middle["mixed"],
            floor=flops / speed["bf16-mixed"],
            ratio=ratio(seconds["reference"], seconds["mixed"]),
            goal="3.5",
            note=f"bf16 products {speed['bf16-mixed'] / speed['32']:.2f} times as fast as float32 ones here",
        ),
        *(
            Row(
                name=f"peak memory of training, {precision}",
                unit="MiB",
                reference=peak["reference"],
                ours=peak[key],
                floor=memory[key]["held_mb"],
                ratio=peak["reference"] / peak[key],
                goal="2",
                note="floor: held before the first step",
            )
            for key, precision in (("avelzoo", "float32"), ("mixed", "bf16-mixed"))
        ),
    ]
    figures = {"seconds": seconds, "memory_mb": memory, "flops": flops, "products_flops_per_second": speed}
    return Section(name="training", rows=rows, figures=figures)
