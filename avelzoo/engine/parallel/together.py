"""Several processes that share every batch.

Each encodes its share of the videos, and of what the memory encodes again. What comes of it is gathered, and everything
after the encoder - memory, head, objective - sees the whole batch in every process, so that whatever a loss says of a
batch it says of all of it: means, counts of a subset, pairs of videos. Gradients are those of one process within
rounding; memories stay the same everywhere because they see the same.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from avelzoo.composition.model import Model, StepOutput
from avelzoo.contracts import Encode, Split
from avelzoo.engine.checkpoint import load_tensors
from avelzoo.engine.parallel.ranks import Ranks
from avelzoo.engine.parallel.streams import OwnStream
from avelzoo.engine.rng import Generators, capture, restore
from avelzoo.engine.rundir import RunWarning
from avelzoo.engine.team import Alone
from avelzoo.errors import PluginError
from avelzoo.records import Batch, Encoded, MemoryView, Predictions, Targets

T = TypeVar("T")


class Together:
    """This process, as one of several.

    Args:
        fabric: device and precision.
        precision: as in `TrainConfig`.
        ranks: all of them.
        seed: of the run.
    """

    def __init__(self, fabric: Fabric, precision: str, ranks: Ranks, seed: int) -> None:
        self.fabric = fabric
        self.first = ranks.place.rank == 0
        self.size = ranks.place.size
        self._alone = Alone(fabric, precision)
        self._ranks = ranks
        self._own = OwnStream(seed, ranks.place.rank, fabric.device)

    def fetch(self, split: Split, indices: np.ndarray) -> tuple[Batch, Targets]:
        """Features and targets of this process's share."""
        return self._alone.fetch(split, np.asarray(indices)[self._ranks.mine(len(indices)).numpy()])

    def step(self, model: Model, batch: Batch, targets: Targets, videos: int) -> StepOutput:
        """The share is encoded here; the rest of the step is the whole batch's."""
        encoded = self._encode_share(model.encoder, batch, videos)
        every = Targets(
            event=self._every(targets.event, videos),
            presence=self._every(targets.presence, videos),
            segments=None if targets.segments is None else self._every(targets.segments, videos),
            background=targets.background,
        )
        blank = Batch(
            audio=_blank(batch.audio, videos),
            visual=_blank(batch.visual, videos),
            rows=self._every(batch.rows, videos),
        )
        wanted = model.memory.wants_features(encoded, blank, model.with_estimate(encoded, every))
        whole = self._with_features(blank, batch, wanted)
        return model.learn(encoded, whole, every, self._sharing(model.encoder))

    def backward(self, model: nn.Module, loss: Tensor) -> None:
        """Each process goes backward from its part of the loss; then all is added up."""
        self.fabric.backward(loss / self.size)
        self._ranks.add_up(model.parameters())

    def view(self, model: Model) -> MemoryView | None:
        """The memory's content, its encoding shared out."""
        return model.memory.read(self._sharing(model.encoder))

    def predict(self, model: Model, batch: Batch, view: MemoryView | None, videos: int) -> Predictions:
        """Each encodes its share, and all have all predictions."""
        predictions: Predictions = model.head(self._encode_share(model.encoder, batch, videos), view)
        return predictions

    def settle(self, model: nn.Module) -> None:
        """Compare every tensor's sum; where they differ, the first process's model is everybody's.

        They differ where a component draws random numbers of its own making, or where a GPU's arithmetic does not
        repeat itself.
        """
        state = model.state_dict()
        sums = torch.stack([value.detach().sum(dtype=torch.float64) for value in state.values()])
        found = self._ranks.gather(sums.unsqueeze(0)).nan_to_num()
        same = (found == found[0]).all(dim=0).tolist()
        differing = [name for name, equal in zip(state, same, strict=True) if not equal]
        if not differing:
            return
        self._ranks.spread(state)
        if self.first:
            warnings.warn(
                f"the processes had come to differ in {', '.join(differing[:4])}; all go on from the first one's model",
                RunWarning,
                stacklevel=2,
            )

    def generators(self) -> Generators:
        """The common generators, as those of one process are kept, and each process's own."""
        tensors, plain = capture(self.fabric.device)
        own = self._ranks.collect(self._own.capture())
        for rank, (numbers, _) in enumerate(own):
            tensors |= {f"rank{rank}.{name}": value for name, value in numbers.items()}
        return tensors, plain | {"ranks": [rest for _, rest in own]}

    def restore(self, generators: Generators) -> None:
        """Inverse of ``generators``; a process that was not there before keeps its fresh ones."""
        tensors, plain = generators
        restore(generators, self.fabric.device)
        rank = self._ranks.place.rank
        if rank < len(plain.get("ranks", ())):
            prefix = f"rank{rank}."
            numbers = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
            self._own.restore((numbers, plain["ranks"][rank]))

    def read(self, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The first process reads, and sends what it found."""
        tensors, meta = load_tensors(path) if self.first else ({}, {})
        told = {name: (value.shape, value.dtype) for name, value in tensors.items()}
        told, meta = self.agreed((told, meta))
        if not self.first:
            tensors = {name: torch.empty(shape, dtype=dtype) for name, (shape, dtype) in told.items()}
        self._ranks.spread(tensors)
        return tensors, meta

    def agreed(self, value: T) -> T:
        """The first process's value, for all."""
        return self._ranks.agreed(value)

    def most(self, value: float | None) -> float | None:
        """The largest value of any process."""
        return max((found for found in self._ranks.collect(value) if found is not None), default=None)

    def wait(self) -> None:
        """Until all are here."""
        self._ranks.wait()

    def _sharing(self, encoder: nn.Module) -> Encode:
        """The encoder as a memory calls it: in every process with the same arguments."""

        def encode(audio: Tensor, visual: Tensor) -> Encoded:
            rows = audio.shape[0]
            mine = self._ranks.mine(rows).to(audio.device)
            share = Batch(audio=audio[mine], visual=visual[mine], rows=mine)
            return self._encode_share(encoder, share, rows)

        return encode

    def _encode_share(self, encoder: nn.Module, share: Batch, rows: int) -> Encoded:
        with self._own.drawn():
            part: Encoded = encoder(share.audio, share.visual)
        length = share.audio.shape[0]
        odd = [name for name, value in part.extras.items() if value.shape[:1] != (length,)]
        if odd:
            raise PluginError(
                "an encoder's extra tensor cannot be gathered from several processes",
                where=type(encoder).__name__,
                found=", ".join(f"{name} {tuple(part.extras[name].shape)}" for name in odd),
                expected=f"the videos as first dimension, here {length}",
                fix="let the encoder give it once per video, or train in one process",
            )
        return replace(
            part,
            fused=self._ranks.rows(part.fused, rows),
            audio=self._ranks.rows(part.audio, rows),
            visual=self._ranks.rows(part.visual, rows),
            extras={name: self._ranks.rows(value, rows) for name, value in part.extras.items()},
        )

    def _every(self, share: Tensor, rows: int) -> Tensor:
        return self._ranks.gather(share)[:rows]

    def _with_features(self, blank: Batch, share: Batch, wanted: Tensor) -> Batch:
        """The batch with the features of the wanted videos, sent by whoever has them."""
        index = wanted.nonzero().squeeze(1)
        if index.numel() == 0:
            return blank
        length = share.audio.shape[0]
        owner, position = index // length, index % length
        counts = owner.bincount(minlength=self.size).tolist()
        most = max(counts)
        mine = position[owner == self._ranks.place.rank]
        sent = torch.cat([mine, mine.new_zeros(most - mine.shape[0])])
        place = owner * most + torch.cat([torch.arange(count) for count in counts]).to(owner)

        def filled(empty: Tensor, own: Tensor) -> Tensor:
            return torch.zeros_like(empty, memory_format=torch.contiguous_format).index_copy(
                0, index, self._ranks.gather(own[sent])[place]
            )

        return replace(blank, audio=filled(blank.audio, share.audio), visual=filled(blank.visual, share.visual))


def _blank(share: Tensor, rows: int) -> Tensor:
    """(rows ...) zeros that take no space."""
    return share.new_zeros(()).expand(rows, *share.shape[1:])
