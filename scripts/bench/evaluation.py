"""Evaluation: videos per second in the training's batches and in small ones."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from bench.floor import TYPES, product_speeds
from bench.parts import Options, Worker, in_turns
from bench.results import Goal, Row, Section
from bench.training import NAMES

EVERY_BATCH = "reference:every-batch"
REFERENCES = {"plain": "reference", "plain, bank in every batch": EVERY_BATCH}


def measure(options: Options) -> Section:
    """The test split's number of videos; the plain code encodes the bank once, or in every batch as the public code."""
    speeds = product_speeds(options)
    rows, facts = [], {}
    for batch in sorted({options.sizes.batch, max(1, options.sizes.batch // 8)}, reverse=True):
        sizes = replace(options.sizes, batch=batch)
        large = batch == options.sizes.batch
        for precision in TYPES if large else ("32",):
            names = ("reference", EVERY_BATCH, "avelzoo", *options.earlier)
            with ExitStack() as stack:
                workers = {
                    name: stack.enter_context(
                        Worker(name, options, sizes=sizes, precision=precision, videos=options.videos)
                    )
                    for name in names
                }
                seconds = in_turns(workers, "evaluate", options.repeats)
                flops = workers["avelzoo"].ask(do="evaluate flops")["flops"]
            rates = {name: options.videos / min(values) for name, values in seconds.items()}
            rows.append(
                Row(
                    name=f"{options.videos} videos in batches of {batch}, {NAMES[precision]}",
                    unit="videos/s",
                    value=rates["avelzoo"],
                    before=rates.get("before"),
                    references={words: rates[name] for words, name in REFERENCES.items()},
                    floor=options.videos * speeds[precision]["forward"] / flops,
                    better="higher",
                    goal=Goal(of="share", limit=0.8) if large else None,
                )
            )
            facts[f"batch {batch}, {NAMES[precision]}"] = {"seconds": seconds, "flops": flops}
    return Section(name="evaluation", rows=rows, facts={"products": speeds, "batches": facts})
