"""Every recipe at AVE's sizes and its own batch size: training step and evaluation beside their lower bounds."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from bench.parts import Options
from bench.results import Row, Section

PRELOADED = ["torch", "avelzoo", "avelzoo.profiling", "bench.recipes"]


def measure(options: Options, names: Sequence[str] = ()) -> Section:
    """Each recipe in a process of its own, so that its peak memory is its own; full supervision.

    Args:
        options: sizes, threads, turns.
        names: of the recipes; all registered ones by default.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
        wanted = names or pool.submit(registered).result()
        speed = pool.submit(bandwidth, options.threads).result()
        costs = {name: pool.submit(cost, name, options).result() for name in wanted}
    found = {name: value for name, value in costs.items() if "skipped" not in value}
    rows = [row(name, value, speed) for name, value in found.items()]
    rows.sort(key=lambda one: one.share or 0.0)
    skipped = {name: value["skipped"] for name, value in costs.items() if "skipped" in value}
    return Section(name="recipes", rows=rows, facts={"costs": found, "bytes_per_second": speed, "skipped": skipped})


def registered() -> list[str]:
    """Names of all recipes."""
    from avelzoo import recipes

    return sorted(recipes)


def cost(name: str, options: Options) -> dict[str, Any]:
    """`avelzoo profile` of a recipe, with the least bytes that a step and an evaluation move."""
    import torch

    from avelzoo import recipes
    from avelzoo.errors import UsageError
    from avelzoo.profiling import profile
    from avelzoo.system.allocator import ask_to_keep_memory, keep_freed_memory

    ask_to_keep_memory()
    keep_freed_memory("cpu")  # as avelzoo's commands do
    torch.set_num_threads(options.threads)
    spec, sizes = options.sizes.spec, options.sizes
    try:
        found = profile(recipes[name]("full"), spec, repeats=min(options.repeats, 2)).to_dict()
    except UsageError as error:
        return {"skipped": str(error)}
    width = 8 if found["precision"] == "64" else 4
    cells = sizes.grid**2 * sizes.visual + sizes.audio
    features = width * found["batch_size"] * sizes.segments * cells
    parameters = width * found["parameters_total"]
    return found | least_bytes(features, parameters)


def least_bytes(features: int, parameters: int) -> dict[str, int]:
    """Bytes that no implementation avoids if nothing stays in the cache.

    A step reads the features in both directions and the weights in both, writes the gradient, and Adam reads four
    arrays and writes three of them.

    Args:
        features: bytes of a batch.
        parameters: bytes of all weights.
    """
    return {"train_bytes": 2 * features + 10 * parameters, "eval_bytes": features + parameters}


def bandwidth(threads: int, megabytes: int = 256) -> float:
    """Bytes per second that copying a large tensor reads and writes, the best of four turns."""
    import torch

    torch.set_num_threads(threads)
    source = torch.ones(megabytes * 2**18)
    target, best = torch.empty_like(source), float("inf")
    for _ in range(4):
        began = time.perf_counter()
        target.copy_(source)
        best = min(best, time.perf_counter() - began)
    return 2 * source.numel() * source.element_size() / best


def row(name: str, found: dict[str, Any], bytes_per_second: float) -> Row:
    """The step's row; its floor is the larger bound, the note says the rest."""
    products = found["train_flops"] / found["products_per_second"]
    memory = found["train_bytes"] / bytes_per_second
    evaluation = max(found["eval_flops"] / found["products_per_second"], found["eval_bytes"] / bytes_per_second)
    binds = "products" if products >= memory else "memory"
    return Row(
        name=name,
        unit="s",
        value=found["train_seconds"],
        floor=max(products, memory),
        note=f"batch {found['batch_size']}, {found['train_flops'] / 1e9:.0f} GFLOP, bound by {binds}"
        f" (memory alone {memory:.3f} s), {found['peak_memory_mb']:.0f} MiB; evaluation {found['eval_seconds']:.2f} s,"
        f" {evaluation / found['eval_seconds']:.0%} of its floor",
    )
