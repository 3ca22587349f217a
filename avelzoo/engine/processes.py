"""Processes of a run: one, or several that split its batches."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, final

import numpy as np
import torch
from torch import Tensor, nn

from avelzoo.composition.model import Model, StepOutput
from avelzoo.contracts import Split
from avelzoo.engine.checkpoint import load_tensors
from avelzoo.engine.device import Fabric, feature_type
from avelzoo.engine.rng import Generators, capture, restore
from avelzoo.records import Batch, HeadOutput, MemoryView, Targets

T = TypeVar("T")

Augment = Callable[[Batch, Targets], tuple[Batch, Targets]]
"""A transform with its generator."""


@dataclass(frozen=True)
class Share:
    """A process's part of a batch.

    Attributes:
        batch: features of its videos.
        targets: labels of its videos.
        videos: number of videos in the whole batch.
    """

    batch: Batch
    targets: Targets
    videos: int


class Processes(ABC):  # noqa: B024, the defaults are complete: they implement the single process
    """Operations of training and evaluation on a batch. The defaults are those of a single process.

    Args:
        fabric: device and precision of this process.
        precision: as in `ComputeConfig`.

    Attributes:
        first: whether this process has rank 0, which writes the files.
        size: number of processes.
    """

    first = True
    size = 1

    def __init__(self, fabric: Fabric, precision: str) -> None:
        self.fabric = fabric
        self._dtype = feature_type(precision)

    def share_indices(self, indices: np.ndarray) -> np.ndarray:
        """Positions of the videos that this process reads and encodes."""
        return indices

    def fetch(self, split: Split, indices: np.ndarray) -> Share:
        """This process's part of a batch, on its device."""
        return self.to_device(*split.fetch(self.share_indices(indices)), len(indices))

    def to_device(self, batch: Batch, targets: Targets, videos: int) -> Share:
        """Move a batch of ``videos`` videos to this process's device; features are cast to the compute format there."""
        device, dtype = self.fabric.device, self._dtype
        there = device.type == "cuda"  # from pinned memory, parallel to the computation
        batch = batch.to(device, dtype=dtype, non_blocking=there)
        return Share(batch, targets.to(device, dtype=dtype, non_blocking=there), videos)

    def augmented(self, whole: Share, augment: Augment) -> Share:
        """This process's part of a whole batch after the transform, which is the same in every process."""
        batch, targets = augment(whole.batch, whole.targets)
        videos = len(batch.rows)
        if self.size == 1:
            return Share(batch, targets, videos)
        own = torch.from_numpy(self.share_indices(np.arange(videos))).to(self.fabric.device)
        return Share(batch.take(own), targets.take(own), videos)

    def step(self, model: Model, share: Share) -> StepOutput:
        """Compute loss and terms of the whole batch."""
        out: StepOutput = model(share.batch, share.targets)
        return out

    def backward(self, model: nn.Module, loss: Tensor, *, last: bool = True) -> None:
        """Accumulate gradients of the whole batch's loss; they are complete after the ``last`` batch of a step."""
        self.fabric.backward(loss)

    def view(self, model: Model) -> MemoryView | None:
        """The memory's content."""
        return model.view()

    def predict(self, model: Model, share: Share, view: MemoryView | None) -> HeadOutput:
        """HeadOutput for all videos of a batch."""
        return model.predict(share.batch, view)

    def synchronise(self, model: nn.Module) -> None:
        """Ensure that every process has the same model."""

    def generators(self) -> Generators:
        """The state of every process's random generators."""
        return capture(self.fabric.device)

    def restore(self, generators: Generators) -> None:
        """Inverse of ``generators``."""
        restore(generators, self.fabric.device)

    def read(self, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Read tensors and plain data from a file of the run."""
        return load_tensors(path)

    def broadcast_object(self, value: T) -> T:
        """The value of rank 0."""
        return value

    def max_over_ranks(self, value: float | None) -> float | None:
        """The largest value of any process."""
        return value

    def barrier(self) -> None:
        """Wait until every process has reached this call."""


@final
class SingleProcess(Processes):
    """A run in a single process."""
