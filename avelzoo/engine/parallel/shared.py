"""Several processes that split every batch.

Each process encodes its share of the videos and of the memory's stored segments. The outputs are gathered, and memory,
head and objective see the whole batch in every process; so losses over a batch (means, counts of a subset, pairs of
videos) cover all its videos. Gradients equal those of one process within rounding. Memories are the same in every
process because their inputs are the same.
"""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, final

import numpy as np
import torch
from torch import Tensor, nn

from avelzoo.composition.lengths import encode
from avelzoo.composition.model import Model, StepOutput
from avelzoo.contracts import Encode
from avelzoo.engine.checkpoint import load_tensors
from avelzoo.engine.device import Fabric
from avelzoo.engine.parallel.collectives import Collectives
from avelzoo.engine.parallel.streams import OwnStream
from avelzoo.engine.processes import Processes, Share
from avelzoo.engine.rng import Generators, capture, restore
from avelzoo.engine.rundir import RunWarning
from avelzoo.errors import PluginError
from avelzoo.records import Batch, Encoded, HeadOutput, MemoryView

T = TypeVar("T")


@final
class SharedProcesses(Processes):
    """One of several processes.

    Args:
        fabric: device and precision.
        precision: as in `ComputeConfig`.
        collectives: collective operations of the processes.
        seed: seed of the run.
    """

    def __init__(self, fabric: Fabric, precision: str, collectives: Collectives, seed: int) -> None:
        super().__init__(fabric, precision)
        self.first = collectives.rank.rank == 0
        self.size = collectives.rank.size
        self._collectives = collectives
        self._own = OwnStream(seed, collectives.rank.rank, fabric.device)

    def share_indices(self, indices: np.ndarray) -> np.ndarray:
        """Positions of this process's share."""
        own: np.ndarray = np.asarray(indices)[self._collectives.share_indices(len(indices)).numpy()]
        return own

    def step(self, model: Model, share: Share) -> StepOutput:
        """Encode the share; the rest of the step uses the whole batch."""
        encoded = self._encode_share(model.encoder, share.batch, share.videos)
        targets = share.targets.map(lambda value: self._whole(value, share.videos))
        blank = share.batch.map(lambda value: self._without_features(value, share.videos))
        wanted = model.memory.wants_features(encoded, blank, model.with_estimate(encoded, targets))
        batch = self._with_features(blank, share.batch, wanted)
        return model.learn(encoded, batch, targets, self._sharing(model.encoder))

    def backward(self, model: nn.Module, loss: Tensor, *, last: bool = True) -> None:
        """Each process back-propagates loss / size; the gradients are summed after the ``last`` batch of a step."""
        self.fabric.backward(loss / self.size)
        if last:
            self._collectives.all_reduce_gradients(model.parameters())

    def view(self, model: Model) -> MemoryView | None:
        """The memory's content; its encoding is split between processes."""
        return model.memory.read(self._sharing(model.encoder))

    def predict(self, model: Model, share: Share, view: MemoryView | None) -> HeadOutput:
        """Encode the share; every process gets all predictions."""
        return model.infer(self._encode_share(model.encoder, share.batch, share.videos), view)

    def synchronise(self, model: nn.Module) -> None:
        """Compare every tensor's sum over processes; where sums differ, broadcast the model of rank 0.

        Models differ if a component uses its own random generator, or if GPU operations are not deterministic.
        """
        state = model.state_dict()
        sums = torch.stack([value.detach().sum(dtype=torch.float64) for value in state.values()])
        found = self._collectives.all_gather(sums.unsqueeze(0)).nan_to_num()
        same = (found == found[0]).all(dim=0).tolist()
        differing = [name for name, equal in zip(state, same, strict=True) if not equal]
        if not differing:
            return
        self._collectives.broadcast(state)
        if self.first:
            warnings.warn(
                f"parameters differed between processes ({', '.join(differing[:4])}); reset to those of rank 0",
                RunWarning,
                stacklevel=2,
            )

    def generators(self) -> Generators:
        """State of the common generators, as for one process, and of each process's own stream."""
        tensors, plain = capture(self.fabric.device)
        own = self._collectives.all_gather_object(self._own.capture())
        for rank, (numbers, _) in enumerate(own):
            tensors |= {f"rank{rank}.{name}": value for name, value in numbers.items()}
        return tensors, plain | {"ranks": [rest for _, rest in own]}

    def restore(self, generators: Generators) -> None:
        """Inverse of ``generators``; an additional process keeps its fresh stream."""
        tensors, plain = generators
        restore(generators, self.fabric.device)
        rank = self._collectives.rank.rank
        if rank < len(plain.get("ranks", ())):
            prefix = f"rank{rank}."
            numbers = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
            self._own.restore((numbers, plain["ranks"][rank]))

    def read(self, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Rank 0 reads the file and broadcasts its content."""
        tensors, meta = load_tensors(path) if self.first else ({}, {})
        layouts = {name: (value.shape, value.dtype) for name, value in tensors.items()}
        layouts, meta = self.broadcast_object((layouts, meta))
        if not self.first:
            tensors = {name: torch.empty(shape, dtype=dtype) for name, (shape, dtype) in layouts.items()}
        self._collectives.broadcast(tensors)
        return tensors, meta

    def broadcast_object(self, value: T) -> T:
        """The value of rank 0."""
        return self._collectives.broadcast_object(value)

    def max_over_ranks(self, value: float | None) -> float | None:
        """The largest value of any process."""
        found = self._collectives.all_gather_object(value)
        return max((one for one in found if one is not None), default=None)

    def barrier(self) -> None:
        """Wait until every process has reached this call."""
        self._collectives.barrier()

    def _sharing(self, encoder: nn.Module) -> Encode:
        """The encoder for memories, called with the same arguments in every process."""

        def shared(audio: Tensor, visual: Tensor) -> Encoded:
            rows = audio.shape[0]
            own = self._collectives.share_indices(rows).to(audio.device)
            share = Batch(audio=audio[own], visual=visual[own], rows=own)
            return self._encode_share(encoder, share, rows)

        return _SharedEncoder(shared, self._own)

    def _encode_share(self, encoder: nn.Module, share: Batch, rows: int) -> Encoded:
        with self._own.drawn():
            part = encode(encoder, share)
        length = share.audio.shape[0]
        odd = [f"{name} {tuple(v.shape)}" for name, v in part.tensors().items() if v.shape[:1] != (length,)]
        if odd:
            raise PluginError(
                "an encoder's tensor cannot be gathered from several processes",
                where=type(encoder).__name__,
                found=", ".join(odd),
                expected=f"the videos as first dimension, here {length}",
                fix="give one row per video in the encoder, or train in one process",
            )
        return part.map(lambda value: self._collectives.gather_rows(value, rows))

    def _whole(self, share: Tensor, rows: int) -> Tensor:
        return self._collectives.all_gather(share)[:rows]

    def _without_features(self, share: Tensor, rows: int) -> Tensor:
        """(rows ...): features (floating tensors) as zeros without memory; other tensors gathered."""
        if share.is_floating_point():
            return share.new_zeros(()).expand(rows, *share.shape[1:])
        return self._whole(share, rows)

    def _with_features(self, blank: Batch, share: Batch, wanted: Tensor) -> Batch:
        """The batch with the features of the wanted videos, gathered from all processes."""
        index = wanted.nonzero().squeeze(1)
        if index.numel() == 0:
            return blank
        length = share.audio.shape[0]
        owner, position = index // length, index % length
        counts = owner.bincount(minlength=self.size).tolist()
        most = max(counts)
        own = position[owner == self._collectives.rank.rank]
        sent = torch.cat([own, own.new_zeros(most - own.shape[0])])
        position = owner * most + torch.cat([torch.arange(count) for count in counts]).to(owner)

        def filled(empty: Tensor, held: Tensor) -> Tensor:
            if not empty.is_floating_point():
                return empty
            return torch.zeros_like(empty, memory_format=torch.contiguous_format).index_copy(
                0, index, self._collectives.all_gather(held[sent])[position]
            )

        return blank.map(filled, share)


@dataclass(frozen=True)
class _SharedEncoder:
    """An encoder whose random numbers come from the process's own stream."""

    encode: Encode
    stream: OwnStream

    def __call__(self, audio: Tensor, visual: Tensor) -> Encoded:
        return self.encode(audio, visual)

    def replayed(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        """Contexts of an encoding and of its repetition for the gradient."""
        return self.stream.replayed()
