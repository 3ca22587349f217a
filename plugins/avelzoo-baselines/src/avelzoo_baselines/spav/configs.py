"""Options, recipe and citation of SPAV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo import (
    AnyOf,
    Bounds,
    Channel,
    GeneralConfig,
    GeneralTerms,
    HeadConfig,
    Help,
    Need,
    NoMemoryConfig,
    ObjectiveConfig,
    Paper,
    Published,
    Recipe,
    Supervision,
    Term,
    TransformConfig,
    WorldsConfig,
)
from avelzoo.channels import EVENT_LOGITS, FUSED, RELEVANCE_LOGITS
from avelzoo_baselines.channels import CLASS_TOKEN, SPAN_LOGITS
from avelzoo_baselines.shared.transformer_configs import AttendedTransformerConfig, Count
from avelzoo_baselines.shared.transformer_recipe import transformer_training

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec, Head, LossFunction, Transform, Widths

PAPER = Paper(
    key="spav2022",
    authors="Y. Wu, X. Zhang, Y. Wang, Q. Huang",
    title="Span-based Audio-Visual Localization",
    venue="ACM Multimedia",
    year=2022,
)


@dataclass(frozen=True, kw_only=True)
class SpavConfig(AttendedTransformerConfig):
    """Co-attention of segments, then self-attention over time with a class token."""

    paper: ClassVar[str] = "spav2022"
    fidelity: ClassVar[str] = "approximate"
    assumptions: ClassVar[tuple[str, ...]] = (
        "Only the ingredients are known (span, class token, positions, relevance); every layer and size is ours.",
        "The recipe omits the paper's mixup, whose parameters are unknown; `--transform mixup` adds ours.",
    )

    layers: Annotated[int, Help("transformer blocks over class token and segments"), Count] = 2
    positions: Annotated[int, Help("rows of the temporal position table"), Count] = 10

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """The class token's embedding."""
        return frozenset({CLASS_TOKEN})

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.spav.model import Spav

        cells = spec.grid[0] * spec.grid[1]
        return Spav(self, audio_dim=spec.audio_dim, visual_dim=spec.visual_dim, cells=cells)


@dataclass(frozen=True, kw_only=True)
class SpanConfig(HeadConfig):
    """Category of the video, and start and end of one span of segments."""

    paper: ClassVar[str] = "spav2022"
    fidelity: ClassVar[str] = "approximate"
    assumptions: ClassVar[tuple[str, ...]] = (
        "The span predictor is one layer on segment and relevance; a video without event is a null position.",
        "Under weak supervision, the decoded span maximises the sum of relevance above one half.",
    )

    decoding: Annotated[Literal["span", "threshold"], Help("decoding: best span, or all segments above one half")] = (
        "span"
    )

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Category and relevance; under full supervision, also the span."""
        return frozenset({EVENT_LOGITS, RELEVANCE_LOGITS, *((SPAN_LOGITS,) if supervision == "full" else ())})

    def reads(self, supervision: Supervision) -> frozenset[Need]:
        """The class token, or the mean of the segments without one."""
        return frozenset({AnyOf(CLASS_TOKEN, FUSED)})

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        """The head."""
        from avelzoo_baselines.spav.head import Span

        return Span(n=spec.n, width=widths.fused, by_span=self.decoding == "span", supervised=supervision == "full")


@dataclass(frozen=True, kw_only=True)
class MixupConfig(TransformConfig):
    """Mixup of two videos, both modalities and all loss terms with the same coefficient."""

    paper: ClassVar[str] = "spav2022"
    fidelity: ClassVar[str] = "approximate"
    assumptions: ClassVar[tuple[str, ...]] = (
        "The paper states no mixup parameters; here features are mixed by Beta(0.2, 0.2) once per batch.",
    )

    alpha: Annotated[
        float, Help("alpha of the mixing coefficient's Beta(alpha, alpha) distribution"), Bounds(above=0)
    ] = 0.2

    def build(self, spec: FeatureSpec, supervision: Supervision) -> Transform:
        """The transform."""
        from avelzoo_baselines.spav.mixup import Mixup

        return Mixup(self.alpha)


@dataclass(frozen=True, kw_only=True)
class SpanObjectiveConfig(GeneralTerms):
    """The general full objective, and cross-entropy of the span's start and end."""

    paper: ClassVar[str] = "spav2022"
    supervisions: ClassVar[tuple[Supervision, ...]] = ("full",)
    fidelity: ClassVar[str] = "approximate"

    span: Annotated[float, Help("weight of the span loss (start and end)"), Bounds(min=0)] = 1.0

    def terms(self, supervision: Supervision) -> tuple[Term, ...]:
        """The general terms and the span term."""
        span = Term("span", self.span, (SPAN_LOGITS,), self._span, ("span",), own=True)
        return (*self.general_terms(supervision), span)

    def _span(self, spec: FeatureSpec) -> LossFunction:
        from avelzoo_baselines.spav.objective import span_loss

        return span_loss


def spav(supervision: Supervision) -> Recipe:
    """SPAV with its span head."""
    full = supervision == "full"
    objective: ObjectiveConfig = SpanObjectiveConfig() if full else GeneralConfig()
    return Recipe(
        name="spav",
        summary="Wu et al. 2022: span-based localization, reconstructed from its ingredients",
        paper="spav2022",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=SpavConfig(),
        memory=NoMemoryConfig(),
        head=SpanConfig(),
        objective=objective,
        **transformer_training(supervision),
        published=(
            Published("full", "VGG-19 + CNN14", 0.801, "Ge et al. 2023, Table 1"),
            Published("weak", "VGG-19 + CNN14", 0.763, "Ge et al. 2023, Table 1"),
        ),
    )
