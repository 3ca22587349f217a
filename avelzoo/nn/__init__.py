"""Shared layers, public for plugin authors. Batch first, channels last."""

from __future__ import annotations

from avelzoo.nn.attention import Attention, VanillaAttention
from avelzoo.nn.decoding import decode_branches, decode_segments
from avelzoo.nn.distance import pairwise_distance
from avelzoo.nn.divergence import jensen_shannon
from avelzoo.nn.positional import sinusoids
from avelzoo.nn.projection import projection
from avelzoo.nn.transformer import CrossBlock, SelfBlock

__all__ = [
    "Attention",
    "CrossBlock",
    "SelfBlock",
    "VanillaAttention",
    "decode_branches",
    "decode_segments",
    "jensen_shannon",
    "pairwise_distance",
    "projection",
    "sinusoids",
]
