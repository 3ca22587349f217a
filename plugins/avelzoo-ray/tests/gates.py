"""A plugin file with which a test stops jobs on workers that it is about to kill: the first two arrivals wait."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from avelzoo import AudioSampling, Extractor, ExtractorConfig, Registrar, RunView, hookimpl

WAIT = 600.0
"""Seconds; the process is killed long before."""
_seen: list[int] = []


def wait_at(*names: str) -> None:
    """Wait at the first of these gates that nobody has reached; its file tells process and node."""
    for name in names:
        file = Path(os.environ["AVELZOO_GATES"], name)
        try:
            with file.open("x") as reached:
                import ray

                where = ray.get_runtime_context().get_node_id() if ray.is_initialized() else ""
                reached.write(f"{os.getpid()} {where}\n")
        except FileExistsError:
            continue
        time.sleep(WAIT)
        return


@dataclass(frozen=True, kw_only=True)
class LevelConfig(ExtractorConfig):
    """Largest and mean amplitude of a segment."""

    modality = "audio"

    def build(self, find: object, *, device: str = "cpu", precision: str = "32") -> Extractor:
        return Level()


class Level(Extractor):
    """Waits at a gate from a process's second video on."""

    modality = "audio"
    sampling = AudioSampling(rate=8000)
    shape = (2,)
    recipe: ClassVar[dict[str, str]] = {"encoder": "level"}

    def features(self, segments: np.ndarray) -> np.ndarray:
        """(b samples) -> (b 2)."""
        _seen.append(len(segments))
        if len(_seen) > 1:
            wait_at("video-1", "video-2")
        return np.stack([np.abs(segments).max(axis=1), np.abs(segments).mean(axis=1)], axis=1).astype(np.float32)


@hookimpl
def avelzoo_register(zoo: Registrar) -> None:
    """Offer the extractor."""
    zoo.extractor("level", LevelConfig)


@hookimpl
def avelzoo_epoch_finished(run: RunView, epoch: int, metrics: Mapping[str, float]) -> None:
    """Wait after a run's first epoch, once its files are written."""
    if epoch == 1:
        wait_at(f"run-{run.path.name}")
