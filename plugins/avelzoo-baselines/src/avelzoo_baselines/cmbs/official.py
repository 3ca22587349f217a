"""Reading the checkpoints of CMBS's public code (marmot-xy/CMBS)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from avelzoo import AveConfig, PublishedCheckpoint
from avelzoo_baselines.channels import JOINT_GATE, MEAN_GATE, STREAM_LOGITS, VIDEO_LOGITS, VIDEO_PROBABILITIES
from avelzoo_baselines.shared import relation
from avelzoo_baselines.shared.official import RenamedSystem, supervision_of

if TYPE_CHECKING:
    from torch import Tensor

    from avelzoo import Batch, FeatureSpec, HeadOutput, Model, Recipe

STREAMS: relation.Renames = (
    *relation.relation_renames("encoder.streams."),
    *relation.interaction_renames("AVInter", "encoder.streams.first_join"),
    *relation.interaction_renames("VAInter", "encoder.streams.second_join"),
    (r"^audio_visual_rnn_layer\.audio_rnn\.", "encoder.streams.audio_lstm."),
    (r"^audio_visual_rnn_layer\.visual_rnn\.", "encoder.streams.visual_lstm."),
)
"""What follows the attention."""
ATTENTION: relation.Renames = (
    *relation.attention_renames("encoder.attention.audio_guided."),
    (r"^spatial_channel_att\.video_(query|key|value)\.", r"encoder.attention.self_attention.\1."),
    (r"^spatial_channel_att\.affine_video_3\.", "encoder.attention.self_pooling.cells."),
    (r"^spatial_channel_att\.affine_video_ave\.", "encoder.attention.self_pooling.guide."),
    (r"^spatial_channel_att\.ave_v_att\.", "encoder.attention.self_pooling.score."),
    (r"^spatial_channel_att\.(?:v_)?norm\.", "encoder.attention.norm."),
)
"""The gated attention; CACE-Net calls its norm v_norm."""
FULL_HEAD: relation.Renames = (
    (r"^(audio|video)_gated\.0\.", r"encoder.streams.\1_gate."),
    (r"^encoder\.streams\.video_gate\.", "encoder.streams.visual_gate."),
    (r"^localize_module\.classifier\.", "head.relevance."),
    (r"^localize_module\.event_classifier\.", "head.event."),
    (r"^audio_cas\.", "head.activations.audio."),
    (r"^video_cas\.", "head.activations.visual."),
)
"""Gates, classifiers and class activations under full supervision."""
# The public weak model reads audio_gated off the visual stream and video_gated off the audio stream.
_WEAK_HEAD: relation.Renames = (
    (r"^audio_gated\.0\.", "encoder.streams.visual_gate."),
    (r"^video_gated\.0\.", "encoder.streams.audio_gate."),
    (r"^CAS_model\.classifier\.0\.", "head.classifier."),
    (r"^audio_cas\.", "head.activations.audio."),
    (r"^video_cas\.", "head.activations.visual."),
)


class Cmbs2022(RenamedSystem):
    """Xia and Zhao 2022: state dicts of ``supv_main_model`` and ``weak_main_model``."""

    settings: ClassVar[tuple[str, ...]] = ("full", "weak")
    checkpoints: ClassVar[tuple[PublishedCheckpoint, ...]] = (
        PublishedCheckpoint(("full",), "drive.google.com/file/d/1crF9vKpdi3Ec_Zkagz7rJB_yVHYnxpJE", "79.3"),
        PublishedCheckpoint(("weak",), "drive.google.com/file/d/100cp82dIrJLuqqEvV-9dbxyTQpWkY-3c", "74.2"),
    )
    title: ClassVar[str] = "cmbs"
    renames: ClassVar[Mapping[str, relation.Renames]] = {
        "full": (*STREAMS, *ATTENTION, *FULL_HEAD),
        "weak": (*STREAMS, *ATTENTION, *_WEAK_HEAD),
    }
    unused: ClassVar[tuple[str, ...]] = (
        *relation.RELATION_UNUSED,
        r"^spatial_channel_att\.ave_bottleneck\.",
        r"^(video|audio)_norm\.",
        r"^classifier\.",
    )
    needed: ClassVar[tuple[str, ...]] = (
        *relation.NEEDED,
        "audio_cas.weight",
        "spatial_channel_att.video_query.weight",
    )
    terms: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "full": {
            "loss_is_event": "relevance",
            "loss_event_class": "event",
            "loss_is_gate": "gate",
            "loss_cas": "streams",
        },
        "weak": {},
    }

    def spec(self, setting: str, state: Mapping[str, Tensor]) -> FeatureSpec:
        """Sizes of the features the checkpoint was trained on."""
        return relation.family_spec(state, state["audio_cas.weight"].shape[0] - (setting == "weak"))

    def sized(self, setting: str, state: Mapping[str, Tensor]) -> Recipe:
        """`cmbs-official` with the checkpoint's sizes."""
        from avelzoo_baselines.cmbs.configs import CmbsConfig
        from avelzoo_baselines.cmbs.recipes import cmbs_official

        base = cmbs_official(supervision_of(setting))
        encoder = CmbsConfig.from_dict(base.encoder.to_dict() | stream_sizes(state))
        return replace(base, dataset=AveConfig(weak_protocol=base.dataset.weak_protocol), encoder=encoder)

    def returned(self, setting: str, output: HeadOutput) -> dict[str, Tensor]:
        """The public order: relevance or gate, category, then gate and streams (full) or probabilities (weak)."""
        if setting == "full":
            return double_branch(output)
        return {
            "av_gate": output[MEAN_GATE],
            "raw_logits": output[VIDEO_LOGITS],
            "event_scores": output[VIDEO_PROBABILITIES],
        }

    def evaluated(self, model: Model, setting: str, batch: Batch) -> dict[str, Tensor]:
        """Attended visual features."""
        from avelzoo_baselines.cmbs.model import Cmbs

        assert isinstance(model.encoder, Cmbs)
        return {"attended_visual": model.encoder.attend(batch.audio, batch.visual)}


def double_branch(output: HeadOutput) -> dict[str, Tensor]:
    """Outputs of the public supervised models of CMBS and CACE-Net, time first."""
    relevance, event = output.relevance_logits, output.event_logits
    assert relevance is not None and event is not None
    return {
        "is_event_scores": relation.time_first(relevance),
        "event_scores": event,
        "audio_visual_gate": relation.time_first(output[JOINT_GATE]),
        "av_score": output[STREAM_LOGITS],
    }


def stream_sizes(state: Mapping[str, Tensor]) -> dict[str, int]:
    """Options of an encoder with gated streams that can be read off a checkpoint."""
    width, encoder, decoder, layers = relation.relation_sizes(state)
    sizes = {
        "width": width,
        "encoder_feedforward": encoder,
        "decoder_feedforward": decoder,
        "layers": layers,
        "attention_width": relation.attention_width(state),
        "query_width": state["spatial_channel_att.video_query.weight"].shape[0],
    }
    for stream in ("audio", "visual"):
        recurrent = state.get(f"audio_visual_rnn_layer.{stream}_rnn.weight_hh_l0")
        if recurrent is not None:
            sizes[f"{stream}_hidden"] = recurrent.shape[1]
    return sizes
