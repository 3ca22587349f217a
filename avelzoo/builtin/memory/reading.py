"""Re-encoding of stored raw segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from avelzoo.contracts import Encode
from avelzoo.records import Encoded

if TYPE_CHECKING:
    from avelzoo.builtin.memory.configs import Context

Parts = list[tuple[tuple[Tensor, Tensor], Encoded]]
"""Slot positions (category, slot), both (k), and their encoding with (k d) outputs."""


def encode_slots(encode: Encode, audio: Tensor, visual: Tensor, filled: Tensor, context: Context) -> Parts:
    """Encode the filled slots of every category.

    ``sequence`` treats a category's slots, best score first, as the segments of one video; categories with the same
    number of filled slots are encoded together, so unfilled slots are never encoded. ``independent`` treats each
    segment as a video with t = 1.

    Args:
        encode: the encoder.
        audio: (n l a).
        visual: (n l h w v).
        filled: (n l) bool, filled slots first in each category.
        context: the temporal context.

    Returns:
        Encodings, each filled slot once.
    """
    if context == "independent":
        where = filled.nonzero(as_tuple=True)
        if where[0].numel() == 0:
            return []
        alone = encode(audio[where].unsqueeze(1), visual[where].unsqueeze(1))
        return [((where[0], where[1]), _flat(alone))]
    encoded = []
    counts = filled.sum(dim=1)
    for count in sorted(set(counts.tolist()) - {0}):
        categories = (counts == count).nonzero().squeeze(1)
        sequence = encode(audio[categories, :count], visual[categories, :count])
        rows = categories.repeat_interleave(count)
        slots = filled.new_ones(count).cumsum(0).sub(1).repeat(len(categories))
        encoded.append(((rows, slots), _flat(sequence)))
    return encoded


def _flat(encoded: Encoded) -> Encoded:
    return Encoded(
        fused=encoded.fused.flatten(0, 1), audio=encoded.audio.flatten(0, 1), visual=encoded.visual.flatten(0, 1)
    )
