"""Collective operations of the processes of a run. Every process must call them in the same order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from avelzoo.engine.parallel.rank import Rank
from avelzoo.errors import TrainingError

T = TypeVar("T")
_BUCKET = 1 << 23
"""Elements per all-reduce of gradients."""

_all_gather = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor
"""Name of the function: newer torch has the first and deprecates the second."""


class LostError(TrainingError):
    """Another process of the run has ended."""


@contextmanager
def _heard() -> Iterator[None]:
    """Convert communication errors to the error that another process has ended."""
    try:
        yield
    except RuntimeError as error:
        raise LostError(
            "another process of this run has ended",
            found=re.sub(r"^\[\S+\] ", "", str(error).strip()).partition(". ")[0][:200],  # without the C++ location
            fix="see its output; --resume continues from the last completed epoch",
        ) from error


@dataclass(frozen=True)
class Collectives:
    """Collective operations of connected processes.

    Attributes:
        rank: rank of this process.
        device: device of its tensors.
    """

    rank: Rank
    device: torch.device

    def share_indices(self, rows: int) -> Tensor:
        """(ceil(rows / size)) consecutive positions of this process's share, padded by repeating the last row.

        All shares have the same length and at least one row, so that all processes run the same operations.
        """
        share = -(-rows // self.rank.size)
        first = self.rank.rank * share
        return torch.arange(first, first + share).clamp_max(rows - 1)

    def all_gather(self, share: Tensor) -> Tensor:
        """(c ...) of every process -> (size c ...), in order of rank. No gradient."""
        raw = share.detach().contiguous().flatten().view(torch.uint8)  # not every backend supports every type
        found = raw.new_empty(self.rank.size * raw.numel())
        with _heard():
            _all_gather(found, raw)
        return found.view(share.dtype).view(-1, *share.shape[1:])

    def gather_rows(self, share: Tensor, rows: int) -> Tensor:
        """(ceil(rows / size) ...) of every process -> (rows ...), with gradient to each process's own share.

        Later operations and their gradient are the same in every process, so each process takes its rows of the
        gradient without communication. Each process back-propagates loss / size; the gradient is multiplied by size to
        compensate.
        """
        found: Tensor = _Gather.apply(share, self, rows)
        return found

    def all_reduce_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its sum over processes; a gradient that is None in all processes stays None."""
        learnt = [p for p in parameters if p.requires_grad]
        for bucket in _buckets(learnt):
            flags = [torch.full((1,), float(p.grad is not None)) for p in bucket]
            parts = [(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in bucket]
            flat = torch.cat([*parts, torch.cat(flags).to(parts[0])])
            with _heard():
                dist.all_reduce(flat)
            *sums, known = torch.split_with_sizes(flat, [*(p.numel() for p in bucket), len(bucket)])
            for i, (parameter, total) in enumerate(zip(bucket, sums, strict=True)):
                if parameter.grad is not None:
                    parameter.grad.copy_(total.view_as(parameter))
                elif bool(known[i] > 0):
                    parameter.grad = total.view_as(parameter).clone()

    def all_gather_object(self, value: T) -> list[T]:
        """The values of all processes, ordered by rank."""
        found: list[Any] = [None] * self.rank.size
        with _heard():
            dist.all_gather_object(found, value)
        return found

    def broadcast_object(self, value: T) -> T:
        """The value of rank 0."""
        held = [value]
        with _heard():
            dist.broadcast_object_list(held, src=0)
        return held[0]

    def broadcast(self, tensors: Mapping[str, Tensor]) -> None:
        """Copy the tensors of rank 0 to all processes; names, shapes and types must agree."""
        for value in tensors.values():
            there = value.detach().to(self.device).contiguous()
            raw = there.flatten().view(torch.uint8)
            if raw.numel():
                with _heard():
                    dist.broadcast(raw, src=0)
                value.detach().copy_(raw.view(value.dtype).view(value.shape))

    def barrier(self) -> None:
        """Wait until every process has reached this call."""
        with _heard():
            self.all_gather_object(0)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, share: Tensor, collectives: Collectives, rows: int) -> Tensor:
        ctx.collectives, ctx.length = collectives, share.shape[0]
        return collectives.all_gather(share)[:rows]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (grad,) = grads
        first = ctx.collectives.rank.rank * ctx.length
        own = grad[first : first + ctx.length] * ctx.collectives.rank.size
        if own.shape[0] < ctx.length:  # rows that only padded the share
            own = torch.cat([own, own.new_zeros(ctx.length - own.shape[0], *own.shape[1:])])
        return own, None, None


def _buckets(parameters: list[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    """Parameters of one type, in their order, in groups of a few megabytes."""
    for dtype in dict.fromkeys(p.dtype for p in parameters):
        bucket: list[nn.Parameter] = []
        for parameter in (p for p in parameters if p.dtype == dtype):
            bucket.append(parameter)
            if sum(p.numel() for p in bucket) >= _BUCKET:
                yield bucket
                bucket = []
        if bucket:
            yield bucket
