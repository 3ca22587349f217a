"""Seconds an epoch of the paper's training takes on data of AVE's size, and from them those of all 300."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from avelzoo import engine
from avelzoo.composition.overrides import Override
from avelzoo.composition.resolving import resolve
from avelzoo.plugin.default import default_host
from avelzoo.plugin.listeners import Listener, RunView
from gpu.arithmetic import multiply_in
from gpu.features import NAME, FeaturesPlugin
from gpu.rows import Job, verdict

PAPER_EPOCHS = 300
GOAL = 180.0
"""Seconds for the whole training on an H100."""


@dataclass(frozen=True)
class Variant:
    """One way to compute it.

    Attributes:
        name: in the table.
        precision: ``compute.precision``.
        products: of float32 matrices.
        mode: ``compute.compile_mode``; None for ``compute.compile=false``.
        seconds: about as long as it takes.
    """

    name: str
    precision: str
    products: str
    mode: str | None
    seconds: float


VARIANTS = (
    Variant("bf16-mixed", "bf16-mixed", "float32", mode=None, seconds=15),
    Variant("bf16-mixed, compiled", "bf16-mixed", "float32", mode="default", seconds=50),
    Variant("bf16-mixed, graphs", "bf16-mixed", "float32", mode="reduce-overhead", seconds=60),
    Variant("tf32", "32", "tf32", mode=None, seconds=15),
    Variant("float32", "32", "float32", mode=None, seconds=20),
    Variant("tf32, compiled", "32", "tf32", mode="default", seconds=50),
)
TINY: dict[str, Any] = {
    "dataset.train_videos": 24,
    "dataset.val_videos": 8,
    "dataset.test_videos": 8,
    "dataset.grid": 2,
    "dataset.audio_channels": 8,
    "dataset.visual_channels": 16,
    "train.batch_size": 8,
    "encoder.width": 16,
    "encoder.feedforward": 16,
    "memory.size": 1,
}


class _Watch(Listener):
    """The time at the end of every epoch, its files written."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def run_started(self, run: RunView) -> None:
        """Training begins."""
        self.times.append(time.perf_counter())

    def epoch_finished(self, epoch: int, metrics: Mapping[str, Any], best: bool) -> None:
        """An epoch is over."""
        self.times.append(time.perf_counter())


def check(job: Job) -> None:
    """One row for each variant, and one for the time of the whole training."""
    default_host().add(FeaturesPlugin(), name=NAME)
    best: tuple[float, str] | None = None
    for variant in VARIANTS[:1] if job.tiny else VARIANTS:
        if not job.begin(f"epoch, {variant.name}", variant.seconds):
            continue
        try:
            whole = _measure(job, variant)
        except Exception as error:  # noqa: BLE001, the other variants are still worth measuring
            said = next(iter(str(error).splitlines()), "")
            job.add(f"epoch, {variant.name}", ok=False, note=f"{type(error).__name__}: {said}"[:300])
            continue
        if best is None or whole < best[0]:
            best = whole, variant.name
    if best is not None:
        note = f"{best[1]}; {verdict(best[0] < GOAL, job)}: goal under {GOAL:.0f} s on an H100"
        job.add(f"{PAPER_EPOCHS} epochs, the fastest", value=best[0], unit="s", note=note)


def _measure(job: Job, variant: Variant) -> float:
    """Add an epoch's row; return the seconds of the whole training."""
    multiply_in("tf32" if variant.products == "tf32" else "float32")
    values = {
        "train.epochs": 3 if job.tiny else 6,
        "train.batch_size": 128,
        "compute.cache_on_device": "float16",
        "compute.precision": variant.precision,
        "compute.compile": variant.mode is not None,
        "compute.compile_mode": variant.mode or "default",
        "dataset.device": job.device,
    } | (TINY if job.tiny else {})
    composition = resolve(
        default_host().registry,
        "ead-b",
        choices={"dataset": NAME},
        overrides=[Override(path, value, "gpu check") for path, value in values.items()],
    )
    if job.device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    watch, began = _Watch(), time.perf_counter()
    folder = job.folder / variant.name.replace(", ", "-")
    result = engine.run(
        composition, folder, registry=default_host().registry, device=job.device, listeners=[watch]
    ).to_dict()
    total = time.perf_counter() - began
    epochs = [after - before for before, after in zip(watch.times, watch.times[1:], strict=False)]
    seconds = statistics.median(epochs[1:])
    whole = total - sum(epochs) + epochs[0] + (PAPER_EPOCHS - 1) * seconds
    job.add(
        f"epoch, {variant.name}",
        value=seconds,
        unit="s",
        note=f"{PAPER_EPOCHS} epochs {whole:,.0f} s; peak {result['peak_memory_mb']:,.0f} MiB",
        data={"epochs": epochs, "whole_training_seconds": whole, "peak_memory_mb": result["peak_memory_mb"]},
    )
    return whole
