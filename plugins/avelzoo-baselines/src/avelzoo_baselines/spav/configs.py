"""Options, recipe and citation of SPAV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo import (
    Bounds,
    FullConfig,
    HeadConfig,
    Help,
    NoMemoryConfig,
    ObjectiveConfig,
    Paper,
    Published,
    Recipe,
    Supervision,
    Term,
    TransformConfig,
    WeakConfig,
    WorldsConfig,
)
from avelzoo_baselines.shared.transformer_configs import AttendedTransformerConfig, Count
from avelzoo_baselines.shared.transformer_recipe import transformer_training

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec, Head, Objective, Registrar, Transform, Widths

PAPER = Paper(
    key="spav2022",
    authors="Y. Wu, X. Zhang, Y. Wang, Q. Huang",
    title="Span-based Audio-Visual Localization",
    venue="ACM Multimedia",
    year=2022,
)


@dataclass(frozen=True, kw_only=True)
class SpavConfig(AttendedTransformerConfig):
    """Co-attended segments behind a class token, in self-attention over time."""

    paper: ClassVar[str] = "spav2022"
    fidelity: ClassVar[str] = "approximate"
    assumptions: ClassVar[tuple[str, ...]] = (
        "Paradigm and ingredients are known (span, class token, positions, relevance); every layer and size is ours.",
        "The recipe trains without the paper's mixup, whose parameters are not known; `--transform mixup` adds ours.",
    )

    layers: Annotated[int, Help("transformer blocks over class token and segments"), Count] = 2
    positions: Annotated[int, Help("rows of the table of temporal positions"), Count] = 10

    @property
    def provides(self) -> frozenset[str]:
        """Also a class token's embedding."""
        return frozenset({"cls"})

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.spav.model import Spav

        cells = spec.grid[0] * spec.grid[1]
        return Spav(self, audio_dim=spec.audio_dim, visual_dim=spec.visual_dim, cells=cells)


@dataclass(frozen=True, kw_only=True)
class SpanConfig(HeadConfig):
    """A category for the video, and one span of segments: where it starts and where it ends."""

    paper: ClassVar[str] = "spav2022"
    fidelity: ClassVar[str] = "approximate"
    assumptions: ClassVar[tuple[str, ...]] = (
        "The span predictor is one layer on segment and relevance; a video without event is a null position.",
        "Under weak supervision the span is the one that maximises the sum of relevance above one half.",
    )

    decoding: Annotated[
        Literal["span", "threshold"], Help("answer with the best span, or with every segment above one half")
    ] = "span"

    @property
    def provides(self) -> frozenset[str]:
        """What objectives may ask for."""
        return frozenset({"event_logits", "relevance_logits"})

    def provides_under(self, supervision: Supervision) -> frozenset[str]:
        """Logits of the span where segments have labels."""
        return self.provides | ({"span_logits"} if supervision == "full" else frozenset())

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
        "The paper names multi-modal mixup without parameters: features are mixed, by Beta(0.2, 0.2), once per batch.",
    )

    alpha: Annotated[float, Help("both parameters of the coefficient's Beta distribution"), Bounds(above=0)] = 0.2

    def build(self, spec: FeatureSpec, supervision: Supervision) -> Transform:
        """The transform."""
        from avelzoo_baselines.spav.mixup import Mixup

        return Mixup(self.alpha)


@dataclass(frozen=True, kw_only=True)
class SpanObjectiveConfig(FullConfig):
    """The general full objective, and cross-entropy of the span's start and end."""

    paper: ClassVar[str] = "spav2022"
    fidelity: ClassVar[str] = "approximate"

    span: Annotated[float, Help("weight of start and end"), Bounds(min=0)] = 1.0

    @property
    def requires(self) -> frozenset[str]:
        """Logits of a span, and what the general objective needs."""
        return super().requires | {"span_logits"}

    @property
    def terms(self) -> Mapping[str, Term]:
        """The general ones, and the span's."""
        return {**super().terms, "span": Term(weight=self.span, needs=("span_logits",), options=("span",), own=True)}

    def build(self, spec: FeatureSpec) -> Objective:
        """The objective."""
        from avelzoo_baselines.spav.objective import SpanObjective

        return SpanObjective(self.span, general=super().build(spec))


def spav(supervision: Supervision) -> Recipe:
    """SPAV with its span head."""
    full = supervision == "full"
    objective: ObjectiveConfig = SpanObjectiveConfig() if full else WeakConfig()
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


def register(zoo: Registrar) -> None:
    """Offer SPAV and its span head."""
    zoo.paper(PAPER)
    zoo.encoder("spav", SpavConfig)
    zoo.head("span", SpanConfig)
    zoo.objective("span", SpanObjectiveConfig)
    zoo.transform("mixup", MixupConfig)
    zoo.recipe("spav", spav)
