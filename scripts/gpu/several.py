"""Two processes, one device each, against one: nccl on GPUs, gloo in a trial on the CPU."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from avelzoo import engine
from avelzoo.composition.overrides import Override
from avelzoo.composition.resolving import resolve
from avelzoo.plugin.default import default_host
from gpu.arithmetic import multiply_in
from gpu.resuming import TINY
from gpu.rows import Job

TOLERANCE = 1e-2
"""Relative difference of an epoch's loss: sums in another order, and dropout with other random numbers."""


def check(job: Job) -> None:
    """The losses of both runs."""
    count = torch.cuda.device_count() if job.device == "cuda" else 2
    title = "two processes train as one does"
    if count < 2:
        job.add(title, note=f"skipped: needs two devices, found {count}")
        return
    multiply_in("float32")
    values: dict[str, Any] = {"train.epochs": 2, "encoder.dropout": 0.0, "head.dropout": 0.0} | TINY
    overrides = [Override(path, value, "gpu check") for path, value in values.items()]
    composition = resolve(default_host().registry, "ead-b", choices={"encoder": "mean-pool"}, overrides=overrides)
    losses = []
    for devices in (1, 2):
        folder = job.folder / f"devices-{devices}"
        engine.run(composition, folder, registry=default_host().registry, device=job.device, devices=devices)
        losses.append(_losses(folder))
    worst = max(abs(a - b) / max(abs(a), 1e-12) for a, b in zip(*losses, strict=True))
    backend = "nccl" if job.device == "cuda" else "gloo, on the CPU"
    job.add(title, ok=worst <= TOLERANCE, note=f"{backend}: losses differ by {worst:.1e}", data={"losses": losses})


def _losses(folder: Path) -> list[float]:
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [float(json.loads(line)["loss"]) for line in lines]
