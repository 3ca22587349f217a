"""Options and citation of CACE-Net."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo import Bounds, Channel, Help, Paper, Supervision, Term
from avelzoo_baselines.channels import CONTRAST_KEYS, CONTRAST_QUERIES
from avelzoo_baselines.cmbs.configs import CmbsHeadConfig, Count, GatedStreamsConfig, GatedTerms

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec, Head, LossFunction, Widths

PAPER = Paper(
    key="cace2024",
    authors="X. He, X. Liu, Y. Li, D. Zhao, G. Shen, Q. Kong, X. Yang, Y. Zeng",
    title="CACE-Net: Co-guidance Attention and Contrastive Enhancement for Effective Audio-Visual Event Localization",
    venue="ACM Multimedia",
    year=2024,
    doi="10.48550/arXiv.2408.01952",
    code="Brain-Cog-Lab/CACE-Net",
)


@dataclass(frozen=True, kw_only=True)
class CaceNetConfig(GatedStreamsConfig):
    """CMBS's encoder with co-guidance attention: vision also guides audio (He et al. 2024)."""

    paper: ClassVar[str] = "cace2024"
    fidelity: ClassVar[str] = "faithful"
    assumptions: ClassVar[tuple[str, ...]] = (
        "For audio with other than 128 channels, queries and keys have 128 channels and values those of the audio.",
    )

    decoder_feedforward: Annotated[int, Help("hidden channels in the relation decoders"), Count] = 512
    guidance: Annotated[
        Literal["co", "audio", "none"],
        Help("guidance: mutual, audio only, or none (mean-pooled cells, raw audio)"),
    ] = "co"
    audio_weight: Annotated[float, Help("psi: weight of the visual guidance of the audio"), Bounds(min=0)] = 0.3

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.cace_net.model import CaceNet

        return CaceNet(self, audio_dim=spec.audio_dim, visual_dim=spec.visual_dim)


@dataclass(frozen=True, kw_only=True)
class CaceNetHeadConfig(CmbsHeadConfig):
    """CMBS's head with contrastive features in the relevance (He et al. 2024)."""

    paper: ClassVar[str] = "cace2024"
    fidelity: ClassVar[str] = "faithful"

    contrast_weight: Annotated[
        float, Help("Lambda: weight of the contrastive features in the relevance"), Bounds(min=0)
    ] = 0.6
    noise: Annotated[float, Help("standard deviation of the noise on the second view"), Bounds(min=0)] = 0.1
    start: Annotated[float, Help("share of epochs before contrastive features are used"), Bounds(min=0, max=1)] = 0.125

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """The head's channels and both views of the contrastive features."""
        return super().gives(supervision) | {CONTRAST_QUERIES, CONTRAST_KEYS}

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        """The head."""
        from avelzoo_baselines.cace_net.head import CaceNetHead

        return CaceNetHead(self, n=spec.n, width=widths.fused)


@dataclass(frozen=True, kw_only=True)
class CaceNetObjectiveConfig(GatedTerms):
    """CMBS's objective plus an event/background contrastive loss within each video (He et al. 2024)."""

    paper: ClassVar[str] = "cace2024"
    fidelity: ClassVar[str] = "faithful"

    background: Annotated[float, Help("weight of the event/background contrastive loss"), Bounds(min=0)] = 1.0
    background_temperature: Annotated[
        float, Help("temperature of the event/background contrastive loss"), Bounds(above=0)
    ] = 0.01

    def terms(self, supervision: Supervision) -> tuple[Term, ...]:
        """CMBS's terms and the contrastive term, which starts with the head's contrastive features (`head.start`)."""
        contrast = Term(
            "background",
            self.background,
            (CONTRAST_QUERIES, CONTRAST_KEYS),
            self._contrast,
            ("background", "background_temperature"),
            own=True,
            late=True,
        )
        return (*self.gated_terms(), contrast)

    def _contrast(self, spec: FeatureSpec) -> LossFunction:
        from avelzoo_baselines.cace_net.objective import contrast_loss

        return partial(contrast_loss, temperature=self.background_temperature)
