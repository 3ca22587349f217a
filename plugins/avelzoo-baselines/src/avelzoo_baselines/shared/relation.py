"""Keys and layouts that the public code of CMRAN, CMBS and CACE-Net have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from avelzoo import FeatureSpec
from avelzoo_baselines.shared.official import category_names

if TYPE_CHECKING:
    from torch import Tensor

Renames = tuple[tuple[str, str], ...]

RELATION_UNUSED: tuple[str, ...] = (
    r"_encoder\.encoder_layer\.",
    r"_decoder\.decoder_layer\.",
    r"_decoder\.decoder\.layers\.\d+\.self_attn\.",
)
"""The layers that clones were made of, and the decoders' self-attention."""


def relation_renames(place: str) -> Renames:
    """Relation encoders and decoders, kept under ``place`` here."""
    return (
        (r"^(audio|video)_(encoder|decoder)\.", rf"{place}\1_\2."),
        (r"\bvideo_(encoder|decoder)\.", r"visual_\1."),
        (r"(coder)\.affine_matrix\.", r"\1.projection."),
        (r"_encoder\.encoder\.layers\.(\d+)\.", r"_encoder.blocks.\1."),
        (r"_decoder\.decoder\.layers\.0\.", "_decoder.block."),
        (r"(blocks\.\d+|block)\.(?:self_attn|multihead_attn)\.", r"\1.attention."),
        (r"(blocks\.\d+|block)\.(linear[12])\.", r"\1.feedforward.\2."),
    )


def attention_renames(place: str) -> Renames:
    """The audio-guided spatial-channel attention, kept under ``place`` here, and the projection before it."""
    old = r"^spatial_channel_att\."
    return (
        (rf"{old}affine_video_1\.", f"{place}channel.cells."),
        (rf"{old}affine_audio_1\.", f"{place}channel.guide."),
        (rf"{old}affine_bottleneck\.", f"{place}channel.bottleneck."),
        (rf"{old}affine_v_c_att\.", f"{place}channel.gate."),
        (rf"{old}affine_video_2\.", f"{place}spatial.cells."),
        (rf"{old}affine_audio_2\.", f"{place}spatial.guide."),
        (rf"{old}affine_v_s_att\.", f"{place}spatial.score."),
        (r"^v_fc\.", "encoder.visual_in."),
    )


def interaction_renames(public: str, own: str) -> Renames:
    """An audio-video interaction called ``public`` there and ``own`` here."""
    return ((rf"^{public}\.video_multihead\.", f"{own}.attention."), (rf"^{public}\.norm1\.", f"{own}.norm."))


NEEDED: tuple[str, ...] = (
    "v_fc.weight",
    "spatial_channel_att.affine_audio_1.weight",
    "spatial_channel_att.affine_bottleneck.weight",
    "audio_encoder.encoder.layers.0.linear1.weight",
    "audio_decoder.decoder.layers.0.linear1.weight",
)
"""Keys that sizes are read off in every one of them."""


def relation_sizes(state: Mapping[str, Tensor]) -> tuple[int, int, int, int]:
    """Width, hidden channels of encoders and of decoders, and layers of the relation part."""
    hidden, width = state["audio_encoder.encoder.layers.0.linear1.weight"].shape
    decoder = state["audio_decoder.decoder.layers.0.linear1.weight"].shape[0]
    layers = {m[1] for key in state if (m := re.match(r"audio_encoder\.encoder\.layers\.(\d+)\.", key))}
    return width, hidden, decoder, len(layers)


def attention_width(state: Mapping[str, Tensor]) -> int:
    """Channels in which the spatial-channel attention compares."""
    return state["spatial_channel_att.affine_bottleneck.weight"].shape[0]


def family_spec(state: Mapping[str, Tensor], n: int) -> FeatureSpec:
    """The features' sizes. The grid is not in the checkpoints, and no part depends on it: AVE's."""
    return FeatureSpec(
        segments=10,
        audio_dim=state["spatial_channel_att.affine_audio_1.weight"].shape[1],
        grid=(7, 7),
        visual_dim=state["v_fc.weight"].shape[0],
        categories=category_names(n),
    )


def time_first(logits: Tensor) -> Tensor:
    """(b t) -> (t b 1), the layout of the public supervised models."""
    return logits.transpose(0, 1).unsqueeze(-1)
