"""Who works on a run: one process, or several that share its batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from lightning_fabric import Fabric
from torch import Tensor, nn

from avelzoo.composition.model import Model, StepOutput
from avelzoo.contracts import Split
from avelzoo.engine.checkpoint import load_tensors
from avelzoo.engine.environment import feature_type
from avelzoo.engine.rng import Generators, capture, restore
from avelzoo.records import Batch, MemoryView, Predictions, Targets

T = TypeVar("T")


class Team(Protocol):
    """What training and evaluation need done with a batch, whoever does it.

    Attributes:
        fabric: device and precision of this process.
        first: whether this process is the one that writes.
        size: how many processes there are.
    """

    fabric: Fabric
    first: bool
    size: int

    def fetch(self, split: Split, indices: np.ndarray) -> tuple[Batch, Targets]:
        """This process's part of a batch, on its device."""
        ...

    def step(self, model: Model, batch: Batch, targets: Targets, videos: int) -> StepOutput:
        """A training step on what was fetched of ``videos`` videos: loss and terms of all of them."""
        ...

    def backward(self, model: nn.Module, loss: Tensor) -> None:
        """Gradients of the whole batch's loss."""
        ...

    def view(self, model: Model) -> MemoryView | None:
        """The memory's content."""
        ...

    def predict(self, model: Model, batch: Batch, view: MemoryView | None, videos: int) -> Predictions:
        """Predictions for all ``videos`` videos of a batch, from what was fetched of it."""
        ...

    def settle(self, model: nn.Module) -> None:
        """Make sure that every process holds the same model."""
        ...

    def generators(self) -> Generators:
        """The state of every process's generators."""
        ...

    def restore(self, generators: Generators) -> None:
        """Inverse of ``generators``."""
        ...

    def read(self, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and plain data of a file of the run."""
        ...

    def agreed(self, value: T) -> T:
        """The first process's value, for all."""
        ...

    def most(self, value: float | None) -> float | None:
        """The largest value of any process."""
        ...

    def wait(self) -> None:
        """Until all are here."""
        ...


class Alone:
    """One process that does everything.

    Args:
        fabric: device and precision.
        precision: as in `TrainConfig`.
    """

    first = True
    size = 1

    def __init__(self, fabric: Fabric, precision: str) -> None:
        self.fabric = fabric
        self._dtype = feature_type(precision)

    def fetch(self, split: Split, indices: np.ndarray) -> tuple[Batch, Targets]:
        """The whole batch."""
        batch, targets = split.fetch(indices)
        device = self.fabric.device
        return batch.to(device, dtype=self._dtype), targets.to(device, dtype=self._dtype)

    def step(self, model: Model, batch: Batch, targets: Targets, videos: int) -> StepOutput:
        """The model's own step."""
        out: StepOutput = model(batch, targets)
        return out

    def backward(self, model: nn.Module, loss: Tensor) -> None:
        """As the fabric does it."""
        self.fabric.backward(loss)

    def view(self, model: Model) -> MemoryView | None:
        """As the model has it."""
        return model.view()

    def predict(self, model: Model, batch: Batch, view: MemoryView | None, videos: int) -> Predictions:
        """As the model makes them."""
        return model.predict(batch, view)

    def settle(self, model: nn.Module) -> None:
        """There is nobody else."""

    def generators(self) -> Generators:
        """Those of this process."""
        return capture(self.fabric.device)

    def restore(self, generators: Generators) -> None:
        """Those of this process."""
        restore(generators, self.fabric.device)

    def read(self, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """From the disk."""
        return load_tensors(path)

    def agreed(self, value: T) -> T:
        """The value."""
        return value

    def most(self, value: float | None) -> float | None:
        """The value."""
        return value

    def wait(self) -> None:
        """Nobody is waited for."""
