"""Ranked slots: for each category, the l best-scored entries seen so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor, nn

from avelzoo.builtin.memory.host_copy import HostCopy
from avelzoo.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """k candidates for slots.

    Attributes:
        category: (k) int64.
        score: (k), larger is better, above 0.
        key: (k) int64, identity of the segment.
        relevance: (k), y^r, 0 where unknown.
        position: (k) int64, the entry's row in ``source``.
        allowed: (k) bool; other entries never enter a slot.
        source: name -> (rows ...), tensors to store; copied only for entries that enter a slot.
    """

    category: Tensor
    score: Tensor
    key: Tensor
    relevance: Tensor
    position: Tensor
    allowed: Tensor
    source: Mapping[str, Tensor]

    def take(self, index: Tensor) -> Candidates:
        """The entries at these positions, in this order."""
        changes = {f.name: getattr(self, f.name)[index] for f in fields(self) if f.name != "source"}
        return replace(self, **changes)


_SORTED = 4 << 20
"""Bytes of the slots that are sorted at a time on a CPU."""


class RankedSlots(nn.Module):
    """Buffers of n categories x l slots, best score first, unfilled slots (score 0) last.

    Insertion is stable: among equal scores the older entry stays, so results do not depend on the sort algorithm.

    Args:
        n: categories.
        size: l.
        shapes: name -> shape of one stored entry.

    Attributes:
        insertions: number of calls of `insert`.
        order: (n l) int64, the slot in which each entry was at the first `Reading`; None before it.
    """

    score: Tensor
    key: Tensor
    relevance: Tensor
    filled: Tensor

    def __init__(self, n: int, size: int, shapes: dict[str, tuple[int, ...]]) -> None:
        super().__init__()
        self.size = size
        self.names = tuple(shapes)
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(n, size, *shape))
        self.register_buffer("score", torch.zeros(n, size))
        self.register_buffer("key", torch.full((n, size), -1, dtype=torch.int64))
        self.register_buffer("relevance", torch.zeros(n, size))
        self.register_buffer("filled", torch.zeros(n, size, dtype=torch.bool))
        self._counts = HostCopy(_counted)
        self.insertions = 0
        self.order: Tensor | None = None

    def payload(self, name: str) -> Tensor:
        """(n l ...), one of the stored buffers."""
        return self.get_buffer(name)

    def counts(self) -> tuple[int, ...]:
        """Filled slots of each category. A GPU is read only until all slots are filled: they are never emptied."""
        return self._counts.value(self.filled)

    @torch.no_grad()
    def insert(self, entries: Candidates) -> None:
        """Merge entries into their categories and keep the l best of each; all shapes are known without the GPU."""
        self.insertions += 1
        n, size = self.score.shape
        own = torch.arange(n * size, device=self.score.device)
        category = entries.category.masked_fill(~entries.allowed, n)
        category = torch.cat([own // size, category])
        score = torch.cat([self.score.masked_fill(~self.filled, -1.0).flatten(), entries.score])
        order = score.argsort(descending=True, stable=True)
        order = order[category[order].argsort(stable=True)]  # by category, best first, older first among equals
        first = torch.searchsorted(category[order], own[:n])
        best = order[first.unsqueeze(1) + own[:size]]
        changed = (best >= n * size).any(dim=1, keepdim=True)  # the rest keeps its order, sorted or not
        self._put(torch.where(changed, best, own.view(n, size)).flatten(), own, entries)

    def _put(self, best: Tensor, own: Tensor, entries: Candidates) -> None:
        """Give every slot its entry: ``best`` below n l is that of a slot, and the rest are new ones."""
        given: dict[str, tuple[Tensor, Tensor | None]]
        given = {name: (entries.source[name], entries.position) for name in self.names}
        given |= {name: (getattr(entries, name), None) for name in ("score", "key", "relevance")}
        given |= {} if self._is_full() else {"filled": (entries.allowed, None)}
        is_new, new = best >= len(own), best - len(own)
        if waits(best.device):  # all slots, as the number of those that change is on the device
            new, kept = new.clamp_min(0), best.masked_fill(is_new, 0)
        else:
            moved, added = (~is_new & (best != own)).nonzero().squeeze(1), is_new.nonzero().squeeze(1)
            new, kept = new[added], best[moved]
        for name, (source, position) in given.items():
            rows = self.get_buffer(name).flatten(0, 1)
            fresh = source[new if position is None else position[new]].to(rows.dtype)
            if waits(best.device):
                rows.copy_(torch.where(is_new.view(-1, *([1] * (rows.dim() - 1))), fresh, rows[kept]))
            else:
                rows[moved] = rows[kept]
                rows[added] = fresh

    @torch.no_grad()
    def rescore(self, scores: Tensor) -> None:
        """Replace the scores of filled slots by new ones (n l), and sort every category again."""
        fresh = torch.where(self.filled, scores.to(self.score.dtype), torch.zeros_like(self.score))
        order = fresh.masked_fill(~self.filled, -1.0).argsort(dim=1, descending=True, stable=True)
        self.score.copy_(fresh)
        for name in ("score", "key", "relevance", *(() if self._is_full() else ("filled",)), *self.names):
            _sort(self.get_buffer(name), order)
        if self.order is not None:
            self.order = self.order.take_along_dim(order, dim=1)

    def _is_full(self) -> bool:
        """Whether the host knows that all slots are filled; then ``filled`` is not written any more."""
        counts = self._counts.known(self.filled)
        return counts is not None and min(counts) == self.size


class Reading:
    """The stored tensors as they are now; found again after the slots were sorted, without a copy of them.

    Args:
        slots: the slots.
    """

    def __init__(self, slots: RankedSlots) -> None:
        n, size = slots.score.shape
        if slots.order is None or slots.order.device != slots.score.device:
            slots.order = torch.arange(size, device=slots.score.device).expand(n, size).contiguous()
        self._slots, self._order, self._insertions = slots, slots.order, slots.insertions

    def payload(self, name: str, category: Tensor, slot: Tensor) -> Tensor:
        """Stored tensors of the slots (category, slot), both (...), in the order of that time: (... features).

        Raises:
            UsageError: entries were inserted since then.
        """
        slots = self._slots
        if slots.order is None or slots.insertions != self._insertions:
            raise UsageError(
                "the memory changed between a training step's loss and its gradient",
                expected="`backward` before the next `observe`",
                fix="back-propagate each batch by itself, or use --set memory.slice_mb=0",
            )
        now = slots.order.argsort(dim=1)
        return slots.payload(name)[category, now[category, self._order[category, slot]]]


def _sort(buffer: Tensor, order: Tensor) -> None:
    """Sort each category of (n l ...) in place; on a CPU few at a time, so that the copy between stays in its cache."""
    n, size = order.shape
    category = max(1, buffer[0].numel() * buffer.element_size())
    count = n if waits(buffer.device) else max(1, _SORTED // category)
    for some, places in zip(torch.split(buffer, count), torch.split(order, count), strict=True):
        first = size * torch.arange(len(places), device=order.device).unsqueeze(1)
        some.copy_(some.flatten(0, 1)[places + first])


def waits(device: torch.device) -> bool:
    """Whether the host waits when it reads a tensor of this device."""
    return device.type != "cpu"


def _counted(filled: Tensor) -> tuple[int, ...]:
    return tuple(filled.sum(dim=1).tolist())
