"""Evaluation: videos a second. avelzoo encodes the bank once per evaluation, the reference once per batch."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from bench.floor import throughput
from bench.parts import Options, Row, Section, Worker, in_turns, ratio


def measure(options: Options) -> Section:
    """The test split's number of videos, in the training's batches and in small ones."""
    speed = throughput(options)["32"]
    rows, figures = [], {}
    for batch in sorted({options.sizes.batch, max(1, options.sizes.batch // 8)}, reverse=True):
        sizes = replace(options.sizes, batch=batch)
        with ExitStack() as stack:
            workers = {
                name: stack.enter_context(Worker(name, options, sizes=sizes, videos=options.videos))
                for name in ("reference", "avelzoo")
            }
            seconds = in_turns(workers, "evaluate", options.repeats)
            flops = workers["avelzoo"].ask(do="evaluate flops")["flops"]
        rates = {name: options.videos / min(values) for name, values in seconds.items()}
        rows.append(
            Row(
                name=f"evaluation, {options.videos} videos in batches of {batch}",
                unit="videos/s",
                reference=rates["reference"],
                ours=rates["avelzoo"],
                floor=options.videos * speed / flops,
                ratio=ratio(seconds["reference"], seconds["avelzoo"]),
                goal="4",
            )
        )
        figures[f"batch {batch}"] = {"seconds": seconds, "flops": flops}
    return Section(name="evaluation", rows=rows, figures=figures)
