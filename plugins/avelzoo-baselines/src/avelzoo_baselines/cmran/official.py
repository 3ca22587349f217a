"""Reading the checkpoints of CMRAN's public code (FloretCat/CMRAN)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from avelzoo import AveConfig
from avelzoo_baselines.channels import VIDEO_LOGITS, VIDEO_PROBABILITIES
from avelzoo_baselines.shared import relation
from avelzoo_baselines.shared.official import RenamedSystem, supervision_of

if TYPE_CHECKING:
    from torch import Tensor

    from avelzoo import Batch, FeatureSpec, HeadOutput, Model, Recipe

_ENCODER: relation.Renames = (
    *relation.relation_renames("encoder."),
    *relation.attention_renames("encoder.attention."),
    *relation.interaction_renames("AVInter", "encoder.fusion"),
)


class Cmran2020(RenamedSystem):
    """Xu et al. 2020: state dicts of ``supv_main_model`` and ``weak_main_model``."""

    settings: ClassVar[tuple[str, ...]] = ("full", "weak")
    title: ClassVar[str] = "cmran"
    renames: ClassVar[Mapping[str, relation.Renames]] = {
        "full": (
            *_ENCODER,
            (r"^localize_module\.classifier\.", "head.relevance.linear."),
            (r"^localize_module\.event_classifier\.", "head.event.linear."),
        ),
        "weak": (
            *_ENCODER,
            (r"^localize_module\.classifier\.", "head.relevance."),
            (r"^localize_module\.event_classifier\.", "head.category."),
        ),
    }
    unused: ClassVar[tuple[str, ...]] = (
        *relation.RELATION_UNUSED,
        r"^spatial_channel_att\.affine_video_guided_[12]\.",
    )
    needed: ClassVar[tuple[str, ...]] = (*relation.NEEDED, "localize_module.event_classifier.weight")
    terms: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "full": {"loss_is_event": "relevance", "loss_event_class": "event"},
        "weak": {},
    }

    def spec(self, setting: str, state: Mapping[str, Tensor]) -> FeatureSpec:
        """Sizes of the features the checkpoint was trained on."""
        classes = state["localize_module.event_classifier.weight"].shape[0]
        return relation.family_spec(state, classes - (setting == "weak"))

    def sized(self, setting: str, state: Mapping[str, Tensor]) -> Recipe:
        """`cmran-official` with the checkpoint's sizes."""
        from avelzoo_baselines.cmran.configs import CmranConfig, cmran_official

        base = cmran_official(supervision_of(setting))
        width, hidden, _, layers = relation.relation_sizes(state)
        assert isinstance(base.encoder, CmranConfig)
        encoder = replace(
            base.encoder,
            width=width,
            feedforward=hidden,
            layers=layers,
            attention_width=relation.attention_width(state),
        )
        return replace(base, dataset=AveConfig(weak_protocol=base.dataset.weak_protocol), encoder=encoder)

    def returned(self, setting: str, output: HeadOutput) -> dict[str, Tensor]:
        """Full: relevance logits (t b 1), event logits; weak: relevance logits (b t), video logits, probabilities."""
        relevance, event = output.relevance_logits, output.event_logits
        assert relevance is not None and event is not None
        if setting == "full":
            return {"is_event_scores": relation.time_first(relevance), "event_scores": event}
        return {
            "is_event_scores": relevance,
            "raw_logits": output[VIDEO_LOGITS],
            "event_scores": output[VIDEO_PROBABILITIES],
        }

    def evaluated(self, model: Model, setting: str, batch: Batch) -> dict[str, Tensor]:
        """Audio-guided visual features."""
        from avelzoo_baselines.cmran.model import Cmran

        assert isinstance(model.encoder, Cmran)
        return {"attended_visual": model.encoder.attend(batch.audio, batch.visual)}
