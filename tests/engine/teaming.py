"""Runs compositions in one process and in two that share every batch: ``python -m tests.engine.teaming FOLDER``.

One interpreter forks them all, so that torch is imported once; the two find each other as torchrun's would.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import torch

from avelzoo import engine
from avelzoo.composition.overrides import Override
from avelzoo.composition.resolving import Composition, resolve
from avelzoo.engine.device import make_fabric
from avelzoo.engine.parallel.collectives import Collectives
from avelzoo.engine.parallel.rank import Rank
from avelzoo.engine.parallel.shared import SharedProcesses
from avelzoo.plugin.default import default_host

SMALL = {
    "dataset.train_videos": 18,
    "dataset.negatives": 4,
    "dataset.val_videos": 9,
    "dataset.test_videos": 9,
    "dataset.segments": 4,
    "dataset.audio_led": 1,
    "dataset.visual_led": 1,
    "dataset.balanced": 1,
    "dataset.grid_height": 1,
    "dataset.grid_width": 2,
    "dataset.audio_channels": 8,
    "dataset.visual_channels": 8,
    "dataset.distractors": 0,
    "train.epochs": 2,
    "train.batch_size": 7,
    "compute.eval_batch_size": 4,
    "optimizer.learning_rate": 0.01,
    "compute.precision": "64",
}
NARROW = {"encoder.width": 16, "encoder.heads": 2, "encoder.feedforward": 16}
STILL = {"encoder.dropout": 0.0}  # that of heads stays: all processes draw it alike
CAREFUL = NARROW | STILL | {"encoder.input_dropout": 0.0}
BANK = {"memory.size": 3}

CASES: dict[str, tuple[str, dict[str, str], dict[str, object]]] = {
    "full": ("full", {}, CAREFUL | BANK | {"train.drop_last": False, "train.clip_norm": 1.0}),
    "weak": ("weak", {}, CAREFUL | BANK),
    "frozen": ("full", {}, CAREFUL | BANK | {"memory.refresh_scores": False}),
    "estimate": ("weak", {}, CAREFUL | BANK | {"memory.weak_score": "jsd+relevance", "head.threshold_from": "val"}),
    "parts": ("full", {"encoder": "mean-pool"}, STILL | BANK | {"objective.contrastive_mean": "parts"}),
    "official": ("weak", {"encoder": "mean-pool"}, STILL | BANK | {"memory.duplicates": "audio-sum"}),
    "feature": ("full", {"encoder": "mean-pool", "memory": "feature-bank"}, STILL | BANK),
    "random": ("full", {"encoder": "mean-pool", "memory": "random-bank"}, STILL | BANK),
    "lengths": ("full", {"dataset": "worlds-varied"}, CAREFUL | BANK | {"dataset.spread": 2}),
    "none": ("weak", {"encoder": "mean-pool", "memory": "none", "head": "single"}, STILL),
    "mixup": ("full", {"transform": "mixup"}, CAREFUL | BANK | {"train.accumulate": 2, "train.ema_decay": 0.5}),
    "replicate": ("weak", {"transform": "replicate"}, CAREFUL | BANK | {"train.clip_norm": 1.0}),
    "float32": ("full", {}, CAREFUL | BANK | {"compute.precision": "32"}),
    "dropout": ("full", {"encoder": "mean-pool"}, BANK | {"train.epochs": 20, "compute.precision": "32"}),
}
TOGETHER_ALONE = ("dropout",)
"""Cases of which one process has nothing to say."""


def composed(name: str) -> Composition:
    """One of the cases."""
    supervision, choices, values = CASES[name]
    overrides = [Override(path, value, "test") for path, value in (SMALL | values).items()]
    return resolve(default_host().registry, "ead-b", supervision=supervision, choices=choices, overrides=overrides)


def train(root: Path, names: list[str]) -> None:
    """A run of every case."""
    for name in names:
        engine.run(composed(name), root / name, registry=default_host().registry, device="cpu")


def share(root: Path, names: list[str], rank: int, port: int) -> None:
    """The same as one of two processes, which then come to differ and settle it."""
    os.environ.update(Rank(rank, 2, rank, 2).to_environ(address="127.0.0.1", port=port))
    train(root, names)
    fabric = make_fabric("cpu", "32", Rank(rank, 2, rank, 2))
    collectives = Collectives(Rank(rank, 2, rank, 2), fabric.device)
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    with torch.no_grad():
        model[1].running_mean.fill_(rank)
        model[0].weight.fill_(1.0)
        model[0].bias.fill_(0.5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        SharedProcesses(fabric, "32", collectives, seed=0).synchronise(model)
    told = {"mean": model[1].running_mean.tolist(), "warnings": [str(warning.message) for warning in caught]}
    (root / f"settled-{rank}.json").write_text(json.dumps(told))


def forked(action: Callable[[], None]) -> int:
    """Starts a process of its own; returns its id."""
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException:  # noqa: BLE001, nothing of the child may reach the parent's code
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child


def main(root: Path, names: list[str]) -> int:
    """All of it; returns how many processes failed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = [forked(lambda: train(root / "alone", [name for name in names if name not in TOGETHER_ALONE]))]
    children += [forked(lambda: share(root / "together", names, rank, port)) for rank in (0, 1)]  # noqa: B023
    return sum(os.waitpid(child, 0)[1] != 0 for child in children)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:] or list(CASES)))
