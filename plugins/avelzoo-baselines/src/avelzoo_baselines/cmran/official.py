"""Reading the checkpoints of CMRAN's public code (FloretCat/CMRAN)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from avelzoo import AveConfig, FeatureSpec
from avelzoo_baselines.shared.official import RenamedSystem, category_names, supervision_of

if TYPE_CHECKING:
    from torch import Tensor

    from avelzoo import Batch, Model, Predictions, Recipe

RELATION_RENAMES: tuple[tuple[str, str], ...] = (
    (r"^(audio|video)_(encoder|decoder)\.", r"encoder.\1_\2."),
    (r"^encoder\.video_", "encoder.visual_"),
    (r"\.affine_matrix\.", ".projection."),
    (r"_encoder\.encoder\.layers\.(\d+)\.", r"_encoder.blocks.\1."),
    (r"_decoder\.decoder\.layers\.0\.", "_decoder.block."),
    (r"\.(self_attn|multihead_attn)\.", ".attention."),
    (r"\.(linear[12])\.", r".feedforward.\1."),
)
"""Relation encoders and decoders, as every system of the family registers them."""
RELATION_UNUSED: tuple[str, ...] = (
    r"_encoder\.encoder_layer\.",
    r"_decoder\.decoder_layer\.",
    r"_decoder\.decoder\.layers\.\d+\.self_attn\.",
)
"""The layers that clones were made of, and the decoders' self-attention."""
ATTENTION_RENAMES: tuple[tuple[str, str], ...] = (
    (r"^spatial_channel_att\.affine_video_1\.", "encoder.attention.channel.cells."),
    (r"^spatial_channel_att\.affine_audio_1\.", "encoder.attention.channel.guide."),
    (r"^spatial_channel_att\.affine_bottleneck\.", "encoder.attention.channel.bottleneck."),
    (r"^spatial_channel_att\.affine_v_c_att\.", "encoder.attention.channel.gate."),
    (r"^spatial_channel_att\.affine_video_2\.", "encoder.attention.spatial.cells."),
    (r"^spatial_channel_att\.affine_audio_2\.", "encoder.attention.spatial.guide."),
    (r"^spatial_channel_att\.affine_v_s_att\.", "encoder.attention.spatial.score."),
    (r"^v_fc\.", "encoder.visual_in."),
)
"""The audio-guided spatial-channel attention."""


FUSION_RENAMES: tuple[tuple[str, str], ...] = (
    (r"^AVInter\.video_multihead\.", "encoder.fusion.attention."),
    (r"^AVInter\.norm1\.", "encoder.fusion.norm."),
)


class Cmran2020(RenamedSystem):
    """Xu et al. 2020: state dicts of ``supv_main_model`` and ``weak_main_model``."""

    settings: ClassVar[tuple[str, ...]] = ("full", "weak")
    title: ClassVar[str] = "cmran"
    renames: ClassVar[Mapping[str, tuple[tuple[str, str], ...]]] = {
        "full": (
            *RELATION_RENAMES,
            *ATTENTION_RENAMES,
            *FUSION_RENAMES,
            (r"^localize_module\.classifier\.", "head.relevance.linear."),
            (r"^localize_module\.event_classifier\.", "head.event.linear."),
        ),
        "weak": (
            *RELATION_RENAMES,
            *ATTENTION_RENAMES,
            *FUSION_RENAMES,
            (r"^localize_module\.classifier\.", "head.relevance."),
            (r"^localize_module\.event_classifier\.", "head.category."),
        ),
    }
    unused: ClassVar[tuple[str, ...]] = (*RELATION_UNUSED, r"^spatial_channel_att\.affine_video_guided_[12]\.")
    needed: ClassVar[tuple[str, ...]] = (
        "v_fc.weight",
        "spatial_channel_att.affine_audio_1.weight",
        "audio_encoder.affine_matrix.weight",
        "audio_encoder.encoder.layers.0.linear1.weight",
        "spatial_channel_att.affine_bottleneck.weight",
        "localize_module.event_classifier.weight",
    )
    terms: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "full": {"loss_is_event": "relevance", "loss_event_class": "event"},
        "weak": {},
    }

    def spec(self, setting: str, state: Mapping[str, Tensor]) -> FeatureSpec:
        """Sizes of the features the checkpoint was trained on."""
        classes = state["localize_module.event_classifier.weight"].shape[0]
        return family_spec(
            n=classes - (setting == "weak"),
            audio_dim=state["spatial_channel_att.affine_audio_1.weight"].shape[1],
            visual_dim=state["v_fc.weight"].shape[0],
        )

    def sized(self, setting: str, state: Mapping[str, Tensor]) -> Recipe:
        """`cmran-official` with the checkpoint's sizes."""
        from avelzoo_baselines.cmran.configs import CmranConfig, cmran_official

        base = cmran_official(supervision_of(setting))
        hidden, width = state["audio_encoder.encoder.layers.0.linear1.weight"].shape
        layers = len({m[1] for key in state if (m := re.match(r"audio_encoder\.encoder\.layers\.(\d+)\.", key))})
        assert isinstance(base.encoder, CmranConfig)
        encoder = replace(
            base.encoder,
            width=width,
            feedforward=hidden,
            layers=layers,
            attention_width=state["spatial_channel_att.affine_bottleneck.weight"].shape[0],
        )
        return replace(base, dataset=AveConfig(weak_protocol=base.dataset.weak_protocol), encoder=encoder)

    def returned(self, setting: str, predictions: Predictions) -> dict[str, Tensor]:
        """Full: relevance logits (t b 1), event logits; weak: relevance logits (b t), video logits, probabilities."""
        relevance, event = predictions.relevance_logits, predictions.event_logits
        assert relevance is not None and event is not None
        if setting == "full":
            return {"is_event_scores": time_first(relevance), "event_scores": event}
        return {
            "is_event_scores": relevance,
            "raw_logits": predictions.extras["video_logits"],
            "event_scores": predictions.extras["video_probabilities"],
        }

    def evaluated(self, model: Model, setting: str, batch: Batch) -> dict[str, Tensor]:
        """What the audio sees."""
        from avelzoo_baselines.cmran.model import Cmran

        assert isinstance(model.encoder, Cmran)
        return {"attended_visual": model.encoder.attend(batch.audio, batch.visual)}


def family_spec(*, n: int, audio_dim: int, visual_dim: int) -> FeatureSpec:
    """Features of AVE's public layout; the grid is not in the checkpoints, and no part depends on it."""
    return FeatureSpec(
        segments=10, audio_dim=audio_dim, grid=(7, 7), visual_dim=visual_dim, categories=category_names(n)
    )


def time_first(logits: Tensor) -> Tensor:
    """(b t) -> (t b 1), the layout of the public supervised models."""
    return logits.transpose(0, 1).unsqueeze(-1)
