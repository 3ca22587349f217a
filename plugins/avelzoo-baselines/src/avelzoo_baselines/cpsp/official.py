"""Reading the checkpoints of CPSP's public code (jasongief/CPSP)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from avelzoo import AveConfig, PublishedCheckpoint
from avelzoo_baselines.channels import PAIR_SIMILARITY, PROPAGATED, VIDEO_PROBABILITIES
from avelzoo_baselines.psp.official import PUBLIC, RENAMES
from avelzoo_baselines.shared.attended import Renames
from avelzoo_baselines.shared.official import RenamedSystem, supervision_of

if TYPE_CHECKING:
    from torch import Tensor

    from avelzoo import Batch, FeatureSpec, HeadOutput, Model, Recipe


class Cpsp2022(RenamedSystem):
    """Zhou et al. 2022: state dicts of both models of the folder ``cpsp_avel``."""

    settings: ClassVar[tuple[str, ...]] = ("full", "weak")
    checkpoints: ClassVar[tuple[PublishedCheckpoint, ...]] = (
        PublishedCheckpoint(("full", "weak"), "drive.google.com/drive/folders/1sMMild9eZ6WEj_9b5QW1ZMYNWzw0Ah54"),
    )
    title: ClassVar[str] = "cpsp"
    renames: ClassVar[Mapping[str, Renames]] = {
        "full": (
            *RENAMES,
            (r"^event_classifier\.0\.", "head.relevance.linear."),
            (r"^category_classifier\.0\.", "head.event.linear."),
        ),
        "weak": (
            *RENAMES,
            (r"^event_classifier\.0\.", "head.relevance."),
            (r"^category_classifier\.0\.", "head.category."),
        ),
    }
    unused: ClassVar[tuple[str, ...]] = (r"^linear_v\.", r"^[va]_classify\.", r"^L[12]\.")
    needed: ClassVar[tuple[str, ...]] = (
        *PUBLIC.needed,
        "fa.0.weight",
        "psp.v_L1.weight",
        "category_classifier.0.weight",
    )
    terms: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "full": {
            "loss_is_event": "relevance",
            "loss_event_class": "event",
            "loss_avps": "pair",
            "loss_psa_v": "video_contrast",
        },
        "weak": {"loss_event_class": "video", "loss_psa_v": "video_contrast"},
    }

    def spec(self, setting: str, state: Mapping[str, Tensor]) -> FeatureSpec:
        """Sizes of the features the checkpoint was trained on."""
        n = state["category_classifier.0.weight"].shape[0]
        return PUBLIC.spec(state, n=n, audio_dim=state["fa.0.weight"].shape[1])

    def sized(self, setting: str, state: Mapping[str, Tensor]) -> Recipe:
        """`cpsp-official` with the checkpoint's sizes."""
        from avelzoo_baselines.cpsp.configs import CpspConfig
        from avelzoo_baselines.cpsp.recipes import cpsp_official

        base = cpsp_official(supervision_of(setting))
        encoder = CpspConfig.from_dict(base.encoder.to_dict() | PUBLIC.sizes(state))
        return replace(base, dataset=AveConfig(weak_protocol=base.dataset.weak_protocol), encoder=encoder)

    def returned(self, setting: str, output: HeadOutput) -> dict[str, Tensor]:
        """Full: relevance, category, similarities, features; weak: features, relevance, category, probabilities."""
        relevance, event = output.relevance_logits, output.event_logits
        assert relevance is not None and event is not None
        if setting == "full":
            return {
                "is_event_scores": relevance,
                "event_scores": event,
                "cross_att": output[PAIR_SIMILARITY],
                "fusion": output[PROPAGATED],
            }
        return {
            "fusion": output[PROPAGATED],
            "is_event_scores": relevance,
            "raw_logits": event,
            "event_scores": output[VIDEO_PROBABILITIES],
        }

    def evaluated(self, model: Model, setting: str, batch: Batch) -> dict[str, Tensor]:
        """Audio-guided visual features."""
        from avelzoo_baselines.psp.model import Psp

        assert isinstance(model.encoder, Psp)
        return {"attended_visual": model.encoder.streams.attend(batch.audio, batch.visual)[1]}
