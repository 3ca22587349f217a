"""Re-encoding of stored raw segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from avelzoo.contracts import Encode
from avelzoo.records import Encoded

if TYPE_CHECKING:
    from avelzoo.builtin.memory.configs import Context

Parts = list[tuple[tuple[Tensor, Tensor], Encoded]]
"""Slot positions (category, slot), both (k), and their encoding with (k d) outputs."""


def encode_slots(encode: Encode, audio: Tensor, visual: Tensor, counts: Sequence[int], context: Context) -> Parts:
    """Encode the filled slots of every category.

    ``sequence`` treats a category's slots, best score first, as the segments of one video; categories with the same
    number of filled slots are encoded together, so unfilled slots are never encoded. ``independent`` treats each
    segment as a video with t = 1.

    Args:
        encode: the encoder.
        audio: (n l a).
        visual: (n l h w v).
        counts: leading slots of each category to encode.
        context: the temporal context.

    Returns:
        Encodings, each filled slot once.
    """
    if context == "independent":
        rows, slots = _leading(counts, audio)
        if rows.numel() == 0:
            return []
        return [((rows, slots), _flat(encode(audio[rows, slots].unsqueeze(1), visual[rows, slots].unsqueeze(1))))]
    encoded = []
    for count in sorted(set(counts) - {0}):
        rows, slots = _leading([count if own == count else 0 for own in counts], audio)
        categories = rows[::count]
        sequence = encode(audio[categories, :count], visual[categories, :count])
        encoded.append(((rows, slots), _flat(sequence)))
    return encoded


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
