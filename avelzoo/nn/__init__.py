"""Shared layers, public for plugin authors; batch first, channels last."""

from __future__ import annotations

from avelzoo.nn.attention import Attention, VanillaAttention
from avelzoo.nn.audio_guided import AudioGuidedAttention
from avelzoo.nn.cpu.dropout import Dropout, dropout
from avelzoo.nn.cross_modal import (
    AudioVideoInter,
    ChannelGate,
    GuidedPooling,
    RelationDecoder,
    RelationEncoder,
    SpatialChannelAttention,
)
from avelzoo.nn.decoding import decode_branches, decode_segments
from avelzoo.nn.distance import pairwise_distance
from avelzoo.nn.divergence import jensen_shannon
from avelzoo.nn.over_time import max_over_time, mean_over_time, segments_of
from avelzoo.nn.positional import AddSinusoids, sinusoids
from avelzoo.nn.projection import projection
from avelzoo.nn.recurrent import BidirectionalLSTM
from avelzoo.nn.residual_fusion import ResidualFusion
from avelzoo.nn.transformer import CrossBlock, FeedForward, SelfBlock

__all__ = [
    "AddSinusoids",
    "Attention",
    "AudioGuidedAttention",
    "AudioVideoInter",
    "BidirectionalLSTM",
    "ChannelGate",
    "CrossBlock",
    "Dropout",
    "FeedForward",
    "GuidedPooling",
    "RelationDecoder",
    "RelationEncoder",
    "ResidualFusion",
    "SelfBlock",
    "SpatialChannelAttention",
    "VanillaAttention",
    "decode_branches",
    "decode_segments",
    "dropout",
    "jensen_shannon",
    "max_over_time",
    "mean_over_time",
    "pairwise_distance",
    "projection",
    "segments_of",
    "sinusoids",
]
