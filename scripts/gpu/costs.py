"""What a training step of five recipes costs: `avelzoo profile` in float32, TF32 and bf16, compiled and not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from avelzoo.plugin.default import default_host
from avelzoo.profiling import profile
from gpu.arithmetic import multiply_in
from gpu.model import spec
from gpu.rows import Job

RECIPES = ("ead-b", "cmbs", "cmran", "psp", "cace-net")
FORMATS = {"bf16-mixed": ("bf16-mixed", "float32"), "tf32": ("32", "tf32"), "float32": ("32", "float32")}
"""``compute.precision`` and the format of float32 products."""
SECONDS = {False: 6.0, True: 40.0}
"""About what a measurement takes, compiled or not."""


def check(job: Job) -> None:
    """One row for each; what was compiled comes last, the paper's system first."""
    names = default_host().registry.names("recipe")
    for name, label, compiled in _order(tiny=job.tiny):
        title = f"{name}, {label}" + (", compiled" if compiled else "")
        if name not in names:
            job.add(title, note="skipped: no such recipe here")
        elif job.begin(title, SECONDS[compiled]):
            _measure(job, title, name, label, compiled=compiled)


def _order(*, tiny: bool) -> Iterator[tuple[str, str, bool]]:
    pairs = [(name, label) for name in RECIPES for label in FORMATS]
    if tiny:  # every recipe, every format, and one that is compiled: the smallest encoder
        yield from ((name, label, False) for name, label in pairs if name == RECIPES[0] or label == "float32")
        yield "psp", "float32", True
        return
    yield from ((name, label, compiled) for compiled in (False, True) for name, label in pairs)


def _measure(job: Job, title: str, name: str, label: str, *, compiled: bool) -> None:
    precision, products = FORMATS[label]
    multiply_in("tf32" if products == "tf32" else "float32")
    recipe = default_host().registry.get("recipe", name).target("full")
    recipe = replace(recipe, compute=replace(recipe.compute, precision=precision, compile=compiled))
    if job.device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    try:
        cost = profile(
            recipe,
            spec(tiny=job.tiny),
            batch_size=4 if job.tiny else 128,
            repeats=1 if job.tiny else 5,
            device=job.device,
        ).to_dict()
    except Exception as error:  # noqa: BLE001, the other rows are still worth measuring
        said = next(iter(str(error).splitlines()), "")
        job.add(title, ok=False, note=f"{type(error).__name__}: {said}"[:300])
        return
    job.add(title, value=1000 * cost["train_seconds"], unit="ms a step", note=_note(cost), data=cost)


def _note(cost: dict[str, Any]) -> str:
    return (
        f"{cost['train_flops'] / cost['train_seconds'] / 1e12:.3g} TFLOP/s, {100 * cost['floor_share']:.0f} % of what"
        f" products reach; evaluation {1000 * cost['eval_seconds']:.3g} ms; peak {cost['peak_memory_mb']:,.0f} MiB"
    )
