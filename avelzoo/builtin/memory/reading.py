"""Re-encoding of stored raw segments, at once or in slices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from avelzoo.builtin.memory.slots import Reading
from avelzoo.contracts import Encode
from avelzoo.records import Encoded

if TYPE_CHECKING:
    from avelzoo.builtin.memory.configs import Context
    from avelzoo.builtin.memory.slots import RankedSlots

Parts = list[tuple[tuple[Tensor, Tensor], Encoded]]
"""Slot positions (category, slot), both (k), and their encoding with (k d) outputs."""

Contexts = tuple[AbstractContextManager[None], AbstractContextManager[None]]


@runtime_checkable
class Replayed(Protocol):
    """An encoder that draws random numbers from a stream of its own."""

    def replayed(self) -> Contexts:
        """Contexts of a call and of its repetition, which then draws the same numbers."""


class SlotEncoder:
    """Encodes the filled slots of every category.

    ``sequence`` treats a category's slots, best score first, as the segments of one video; categories with the same
    number of filled slots are encoded together, so unfilled slots are never encoded. ``independent`` treats each
    segment as a video with t = 1.

    With a memory limit, slots are encoded in slices of whole videos. For the gradient each slice keeps its positions
    only: the backward pass reads its features again and encodes it a second time, with the same dropout masks, so the
    gradient is that of one encoding. An encoder must treat the videos of a batch independently.

    Args:
        context: the temporal context.
        slice_mb: MiB of activations kept for the gradient of one slice; 0 encodes all slots at once.

    Attributes:
        slot_bytes: bytes of activations of a slot; 0 until the first reading in slices measures them.
    """

    def __init__(self, context: Context, slice_mb: int = 0) -> None:
        self._context: Context = context
        self._limit = slice_mb * 2**20
        self.slot_bytes = 0

    def __call__(self, encode: Encode, slots: RankedSlots, counts: Sequence[int]) -> Parts:
        """Encode the ``counts`` leading slots of every category.

        Returns:
            Encodings, each of these slots once.
        """
        reading = Reading(slots) if self._limit else None

        def encoded(category: Tensor, slot: Tensor) -> Encoded:
            if reading is not None:
                return encode(*(reading.payload(name, category, slot) for name in ("audio", "visual")))
            return encode(slots.payload("audio")[category, slot], slots.payload("visual")[category, slot])

        found: Parts = []
        for category, slot in self._videos(counts, slots.key):
            slices = list(zip(*self._slices(encode, encoded, category, slot), strict=True))
            for rows, places in slices:
                if len(slices) > 1 and torch.is_grad_enabled():
                    part = _recomputed(encode, encoded, rows, places)
                else:
                    part = encoded(rows, places)
                found.append(((rows.flatten(), places.flatten()), _flat(part)))
        return found

    def _videos(self, counts: Sequence[int], like: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Category and slot of each segment of videos of one length, both (videos t)."""
        if self._context == "independent":
            category, slot = _leading(counts, like)
            if category.numel():
                yield category.unsqueeze(1), slot.unsqueeze(1)
            return
        for count in sorted(set(counts) - {0}):
            category, slot = _leading([count if own == count else 0 for own in counts], like)
            yield category.view(-1, count), slot.view(-1, count)

    def _slices(
        self, encode: Encode, encoded: Callable[[Tensor, Tensor], Encoded], category: Tensor, slot: Tensor
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        if not self._limit:
            return (category,), (slot,)
        if not self.slot_bytes:
            self.slot_bytes = _kept_bytes(encode, encoded, category[:1], slot[:1])
        videos = max(1, self._limit // (self.slot_bytes * category.shape[1]))
        return torch.split(category, videos), torch.split(slot, videos)


def _recomputed(
    encode: Encode, encoded: Callable[[Tensor, Tensor], Encoded], category: Tensor, slot: Tensor
) -> Encoded:
    """Encode a slice; its gradient encodes it again."""

    def tensors(category: Tensor, slot: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        found = encoded(category, slot)
        return found.fused, found.audio, found.visual

    contexts = encode.replayed if isinstance(encode, Replayed) else _nothing
    # CPU layers keep what memory allows at the moment (`avelzoo.nn.cpu.pieces.budget`), so kept shapes may differ
    fused, audio, visual = checkpoint(
        tensors, category, slot, use_reentrant=False, context_fn=contexts, determinism_check="none"
    )
    return Encoded(fused=fused, audio=audio, visual=visual)


def _leading(counts: Sequence[int], like: Tensor) -> tuple[Tensor, Tensor]:
    """Category and slot of the leading slots, both (k); made on the device where all categories have as many."""
    n, most = len(counts), max(counts)
    if min(counts) == most:
        rows = torch.arange(n, device=like.device).repeat_interleave(most)
        return rows, torch.arange(most, device=like.device).repeat(n)
    rows = torch.tensor([row for row, count in enumerate(counts) for _ in range(count)], dtype=torch.int64)
    slots = torch.tensor([slot for count in counts for slot in range(count)], dtype=torch.int64)
    return rows.to(like.device), slots.to(like.device)


def _flat(encoded: Encoded) -> Encoded:
    return Encoded(
        fused=encoded.fused.flatten(0, 1), audio=encoded.audio.flatten(0, 1), visual=encoded.visual.flatten(0, 1)
    )


def _nothing() -> Contexts:
    return nullcontext(), nullcontext()


def _kept_bytes(encode: Encode, encoded: Callable[[Tensor, Tensor], Encoded], category: Tensor, slot: Tensor) -> int:
    """Bytes that one slot's encoding keeps for its gradient, from a trial that leaves random generators as they are."""
    sizes: dict[int, int] = {}

    def kept(tensor: Tensor) -> Tensor:
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    first, again = encode.replayed() if isinstance(encode, Replayed) else _nothing()
    devices = [category.device] if category.is_cuda else []
    with first:
        pass
    watched = torch.autograd.graph.saved_tensors_hooks(kept, lambda tensor: tensor)
    with again, torch.random.fork_rng(devices), torch.enable_grad(), watched:
        encoded(category, slot)
    return max(1, sum(sizes.values()) // category.numel())
