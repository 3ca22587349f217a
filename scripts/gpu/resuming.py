"""A run that was interrupted and resumed against two that nothing interrupted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from avelzoo import engine
from avelzoo.composition.overrides import Override
from avelzoo.composition.resolving import Composition, resolve
from avelzoo.engine.checkpoint import load_tensors
from avelzoo.plugin.default import default_host
from avelzoo.plugin.listeners import Listener
from gpu.arithmetic import multiply_in
from gpu.rows import Job

EPOCHS, BREAK = 4, 2
TOLERANCE = 1e-2
"""Relative difference of the losses where two equal runs differ as well: sums on a GPU have no fixed order."""
TINY = {
    "dataset.train_videos": 16,
    "dataset.val_videos": 8,
    "dataset.test_videos": 8,
    "dataset.segments": 3,
    "dataset.grid_height": 1,
    "dataset.grid_width": 2,
    "dataset.distractors": 0,
    "train.batch_size": 8,
    "encoder.width": 16,
    "memory.size": 2,
}


class _Breaks(Listener):
    """Interrupts the run after some epochs."""

    def epoch_finished(self, epoch: int, metrics: Mapping[str, Any], best: bool) -> None:
        """As a person with Ctrl-C would."""
        if epoch + 1 == BREAK:
            raise KeyboardInterrupt


def check(job: Job) -> None:
    """The resumed run equals the others to the last bit, or as closely as these equal each other."""
    multiply_in("float32")
    values: dict[str, Any] = {"train.epochs": EPOCHS, "compute.cache_on_device": "float32"} | (TINY if job.tiny else {})
    overrides = [Override(path, value, "gpu check") for path, value in values.items()]
    composition = resolve(default_host().registry, "ead-b", choices={"encoder": "mean-pool"}, overrides=overrides)
    straight = _run(job, composition, "straight")
    again = _run(job, composition, "again")
    with suppress(KeyboardInterrupt):
        _run(job, composition, "resumed", [_Breaks()])
    resumed = _run(job, composition, "resumed")
    repeats, loss_repeats = _same_weights(straight, again), _loss_difference(straight, again)
    equal, loss = _same_weights(straight, resumed), _loss_difference(straight, resumed)
    ok = equal or (not repeats and loss <= max(TOLERANCE, 3 * loss_repeats))
    job.add(
        "resumed run equals the uninterrupted one",
        ok=ok,
        note=f"{'equal bit for bit' if equal else f'losses differ by {loss:.1e}'}; the uninterrupted run repeated: "
        + ("equal bit for bit" if repeats else f"losses differ by {loss_repeats:.1e}"),
        data={"loss_difference": loss, "loss_difference_of_repeats": loss_repeats, "tolerance": TOLERANCE},
    )


def _run(job: Job, composition: Composition, name: str, listeners: Sequence[Listener] = ()) -> Path:
    folder = job.folder / name
    engine.run(
        composition,
        folder,
        registry=default_host().registry,
        resume=folder.exists(),
        device=job.device,
        listeners=listeners,
    )
    return folder


def _same_weights(one: Path, other: Path) -> bool:
    first, second = (load_tensors(folder / "resume" / "state.safetensors")[0] for folder in (one, other))
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def _loss_difference(one: Path, other: Path) -> float:
    """Largest relative difference of an epoch's loss."""
    first, second = (
        [json.loads(line)["loss"] for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
        for folder in (one, other)
    )
    return float(max(abs(a - b) / max(abs(a), 1e-12) for a, b in zip(first, second, strict=True)))
