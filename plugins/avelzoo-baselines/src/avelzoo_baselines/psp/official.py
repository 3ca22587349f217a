"""Reading the checkpoints of PSP's public code (jasongief/PSP_CVPR_2021)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from avelzoo import AveConfig, PublishedCheckpoint
from avelzoo_baselines.channels import PAIR_SIMILARITY, PROPAGATED, VIDEO_PROBABILITIES
from avelzoo_baselines.shared.attended import PublicStreams, Renames
from avelzoo_baselines.shared.official import RenamedSystem, supervision_of

if TYPE_CHECKING:
    from torch import Tensor

    from avelzoo import Batch, FeatureSpec, HeadOutput, Model, Recipe

PUBLIC = PublicStreams(attention="attention.", lstms="lstm_a_v.")
RENAMES: Renames = (
    *PUBLIC.renames,
    (r"^fa\.", "encoder.streams.audio_in."),
    (r"^fv\.", "encoder.streams.visual_in."),
    (r"^psp\.v_L([12])\.", r"encoder.propagation.visual_\1."),
    (r"^psp\.a_L([12])\.", r"encoder.propagation.audio_\1."),
    (r"^psp\.v_fc\.", "encoder.propagation.visual_out."),
    (r"^psp\.a_fc\.", "encoder.propagation.audio_out."),
    (r"^psp\.layer_norm\.", "encoder.propagation.norm."),
)
"""The encoder of the fully supervised model, and of CPSP."""
_HEAD: Renames = ((r"^L1\.", "head.classifier.0."), (r"^L2\.", "head.classifier.2."))


class Psp2021(RenamedSystem):
    """Zhou et al. 2021: state dicts of ``fully_model.psp_net`` and ``weakly_model.psp_net``.

    Args:
        threshold: tau, which no checkpoint holds; None for the public defaults.
    """

    settings: ClassVar[tuple[str, ...]] = ("full", "weak")
    checkpoints: ClassVar[tuple[PublishedCheckpoint, ...]] = (
        PublishedCheckpoint(
            ("full", "weak"), "drive.google.com/drive/folders/1YEyEH6e988v1NUwwVYohrwY2DSpVtVoT", "78.0 / 73.9"
        ),
        PublishedCheckpoint(("full", "weak"), "drive.google.com/drive/folders/1sMMild9eZ6WEj_9b5QW1ZMYNWzw0Ah54"),
    )
    title: ClassVar[str] = "psp"
    renames: ClassVar[Mapping[str, Renames]] = {
        "full": (*RENAMES, *_HEAD),
        "weak": (*RENAMES, *_HEAD, (r"^linear_v\.", "encoder.streams.visual_in."), (r"^W3\.", "head.weight.")),
    }
    unused: ClassVar[tuple[str, ...]] = (r"^[va]_classify\.", r"^L[34]\.", r"^temperature$", r"^W[12]\.")
    needed: ClassVar[tuple[str, ...]] = (*PUBLIC.needed, "psp.v_L1.weight", "L1.weight", "L2.weight")
    terms: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "full": {"loss_cls": "segment", "loss_avps": "pair"},
        "weak": {},
    }

    initial: ClassVar[tuple[str, ...]] = ("objective.stateful.pair.stale",)

    def __init__(self, threshold: float | None = None) -> None:
        self.threshold = threshold

    def own(self, setting: str, key: str) -> str | None:
        """avelzoo's name; the fully supervised model keeps the weak one's visual projection without using it."""
        if setting == "full" and key.startswith("linear_v."):
            return None
        return super().own(setting, key)

    def spec(self, setting: str, state: Mapping[str, Tensor]) -> FeatureSpec:
        """Sizes of the features the checkpoint was trained on."""
        audio_dim = state["fa.0.weight"].shape[1] if "fa.0.weight" in state else None
        return PUBLIC.spec(state, n=state["L2.weight"].shape[0] - 1, audio_dim=audio_dim)

    def sized(self, setting: str, state: Mapping[str, Tensor]) -> Recipe:
        """`psp-official` with the checkpoint's sizes."""
        from avelzoo_baselines.psp.configs import PspConfig
        from avelzoo_baselines.psp.recipes import psp_official
        from avelzoo_baselines.shared.configs import LayeredSingleConfig

        base = psp_official(supervision_of(setting))
        assert isinstance(base.encoder, PspConfig) and isinstance(base.head, LayeredSingleConfig)
        threshold = base.encoder.threshold if self.threshold is None else self.threshold
        return replace(
            base,
            dataset=AveConfig(weak_protocol=base.dataset.weak_protocol),
            encoder=PspConfig.from_dict(base.encoder.to_dict() | PUBLIC.sizes(state) | {"threshold": threshold}),
            head=replace(base.head, hidden=state["L1.weight"].shape[0]),
        )

    def outputs(
        self, setting: str, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor], mode: str
    ) -> dict[str, Tensor]:
        """As other systems; ``eval_thr0`` is ``eval`` without pruning."""
        if mode == "eval_thr0":
            return type(self)(threshold=0.0).outputs(setting, state, inputs, "eval")
        return super().outputs(setting, state, inputs, mode)

    def returned(self, setting: str, output: HeadOutput) -> dict[str, Tensor]:
        """Full: features, logits, similarities; weak: the video's probabilities and weighted logits."""
        logits = output.segment_logits
        assert logits is not None
        if setting == "full":
            similarity = output[PAIR_SIMILARITY]
            return {"fusion": output[PROPAGATED], "out": logits, "cross_att": similarity}
        return {"scores_avg": output[VIDEO_PROBABILITIES], "score": logits}

    def evaluated(self, model: Model, setting: str, batch: Batch) -> dict[str, Tensor]:
        """Audio-guided visual features."""
        from avelzoo_baselines.psp.model import Psp

        assert isinstance(model.encoder, Psp)
        return {"attended_visual": model.encoder.streams.attend(batch.audio, batch.visual)[1]}
