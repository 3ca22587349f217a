"""Layouts of the plain reference, to choose the fastest; sequence first is the public code's."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from dataclasses import replace

from bench.floor import TYPES
from bench.parts import Options, Worker, in_turns
from bench.plain import LAYOUTS
from bench.results import Row, Section
from bench.training import NAMES

WORDS = {
    "attention": "scaled_dot_product_attention, batch first",
    "batch-first": "MultiheadAttention, batch first",
    "sequence-first": "MultiheadAttention, sequence first",
}


def measure(options: Options) -> Section:
    """Training steps of a smaller batch in turns."""
    sizes = replace(options.sizes, batch=max(1, options.sizes.batch // 4), bank=max(1, options.sizes.bank // 4))
    with ExitStack() as stack:
        workers = {
            (layout, precision): stack.enter_context(
                Worker(f"reference:{layout}", options, sizes=sizes, precision=precision)
            )
            for layout in LAYOUTS
            for precision in TYPES
        }
        seconds = in_turns(workers, "step", options.repeats)
    middle = {key: statistics.median(values) for key, values in seconds.items()}
    rows = [
        Row(
            name=f"{NAMES[precision]}, batches of {sizes.batch}, {sizes.bank} slots",
            unit="s",
            references={WORDS[layout]: middle[layout, precision] for layout in LAYOUTS},
        )
        for precision in TYPES
    ]
    found = {f"{layout}, {NAMES[p]}": values for (layout, p), values in seconds.items()}
    return Section(name="layouts", rows=rows, facts={"seconds": found})
