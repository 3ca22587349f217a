"""Reading the checkpoints of CACE-Net's public code (Brain-Cog-Lab/CACE-Net)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from avelzoo import AveConfig, PublishedCheckpoint
from avelzoo_baselines.channels import CONTRAST_QUERIES
from avelzoo_baselines.cmbs.official import ATTENTION, FULL_HEAD, STREAMS, double_branch, stream_sizes
from avelzoo_baselines.shared import relation
from avelzoo_baselines.shared.official import RenamedSystem, supervision_of

if TYPE_CHECKING:
    from torch import Tensor

    from avelzoo import Batch, FeatureSpec, HeadOutput, Model, Recipe

_GUIDANCE: relation.Renames = (
    (r"^spatial_channel_att\.video_(query|key|value)2\.", r"encoder.second_attention.\1."),
    (r"^spatial_channel_att\.audio_(query|key|value)\.", r"encoder.guidance.self_attention.\1."),
    (r"^spatial_channel_att\.a_norm\.", "encoder.guidance.norm."),
    (r"^spatial_channel_att\.v_query\.", "encoder.guidance.guide.query."),
    (r"^spatial_channel_att\.vaudio_(key|value)\.", r"encoder.guidance.guide.\1."),
    (r"^localize_module\.encoder_q\.0\.", "head.contrast."),
)


class CaceNet2024(RenamedSystem):
    """He et al. 2024: state dicts of the supervised model with co-guidance."""

    settings: ClassVar[tuple[str, ...]] = ("full",)
    checkpoints: ClassVar[tuple[PublishedCheckpoint, ...]] = (
        PublishedCheckpoint(("full",), "huggingface.co/xianghe/cace-net", "80.796"),
    )
    title: ClassVar[str] = "cacenet"
    renames: ClassVar[Mapping[str, relation.Renames]] = {"full": (*STREAMS, *ATTENTION, *FULL_HEAD, *_GUIDANCE)}
    unused: ClassVar[tuple[str, ...]] = (
        *relation.RELATION_UNUSED,
        r"^spatial_channel_att\.(ave_bottleneck|v_norm2)\.",
        r"^(spatial_channel_att\.)?a_fc\.",
    )
    needed: ClassVar[tuple[str, ...]] = (
        *relation.NEEDED,
        "audio_cas.weight",
        "spatial_channel_att.video_query.weight",
        "spatial_channel_att.video_query2.weight",
    )
    initial: ClassVar[tuple[str, ...]] = ("head.contrasting",)
    terms: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "full": {
            "loss_is_event": "relevance",
            "loss_event_class": "event",
            "loss_is_gate": "gate",
            "loss_cas": "streams",
            "loss_contrastive": "background",
        }
    }

    def spec(self, setting: str, state: Mapping[str, Tensor]) -> FeatureSpec:
        """Sizes of the features the checkpoint was trained on."""
        return relation.family_spec(state, state["audio_cas.weight"].shape[0])

    def sized(self, setting: str, state: Mapping[str, Tensor]) -> Recipe:
        """`cace-net-official` with the checkpoint's sizes."""
        from avelzoo_baselines.cace_net.configs import CaceNetConfig
        from avelzoo_baselines.cace_net.recipes import cace_net_official

        base = cace_net_official(supervision_of(setting))
        encoder = CaceNetConfig.from_dict(base.encoder.to_dict() | stream_sizes(state))
        return replace(base, dataset=AveConfig(weak_protocol=base.dataset.weak_protocol), encoder=encoder)

    def returned(self, setting: str, output: HeadOutput) -> dict[str, Tensor]:
        """As CMBS, then the queries; keys carry noise and are not compared."""
        return double_branch(output) | {"queries": output[CONTRAST_QUERIES]}

    def evaluated(self, model: Model, setting: str, batch: Batch) -> dict[str, Tensor]:
        """Attended visual and audio features."""
        from avelzoo_baselines.cace_net.model import CaceNet

        assert isinstance(model.encoder, CaceNet)
        heard, seen = model.encoder.attend(batch.audio, batch.visual)
        return {"attended_visual": seen, "attended_audio": heard}
