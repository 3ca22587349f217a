"""Options, recipe and citation of DAM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo import (
    Bounds,
    Channel,
    EncoderConfig,
    GeneralConfig,
    HeadConfig,
    Help,
    Need,
    NoMemoryConfig,
    Paper,
    Published,
    Recipe,
    Supervision,
    WorldsConfig,
)
from avelzoo.channels import EVENT_LOGITS, RELEVANCE_LOGITS
from avelzoo_baselines.channels import GATED_VIDEO, GLOBAL_AUDIO, GLOBAL_VISUAL
from avelzoo_baselines.shared.recurrent_recipe import recurrent_training
from avelzoo_baselines.shared.statements import GENERAL_WEAK, where_weak

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec, Head, Widths

PAPER = Paper(
    key="dam2019",
    authors="Y. Wu, L. Zhu, Y. Yan, Y. Yang",
    title="Dual Attention Matching for Audio-Visual Event Localization",
    venue="ICCV",
    year=2019,
)


@dataclass(frozen=True, kw_only=True)
class DamConfig(EncoderConfig):
    """Local embeddings of every segment, and a global vector per modality from self-attention (Wu et al. 2019)."""

    paper: ClassVar[str] = "dam2019"
    fidelity: ClassVar[str] = "equation-level"
    assumptions: ClassVar[tuple[str, ...]] = (
        "Widths are not published; local embeddings have two layers, the last one linear, for signed logits.",
        "General heads get [f^V * phi^A; f^A * phi^V], whose sums are the matching's logits.",
    )

    width: Annotated[int, Help("channels d of local and global vectors"), Bounds(min=1)] = 256
    attention_width: Annotated[int, Help("width of the spatial attention's comparison space"), Bounds(min=1)] = 512
    attention_axis: Annotated[
        Literal["projection", "location"], Help("audio in the spatial attention: projected vector, or number per cell")
    ] = "projection"

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """A global vector per modality."""
        return frozenset({GLOBAL_AUDIO, GLOBAL_VISUAL})

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.dam.model import Dam

        cells = spec.grid[0] * spec.grid[1]
        return Dam(self, audio_dim=spec.audio_dim, visual_dim=spec.visual_dim, cells=cells)


@dataclass(frozen=True, kw_only=True)
class MatchingConfig(HeadConfig):
    """Relevance from the match of local and global vectors; category from the global vectors."""

    paper: ClassVar[str] = "dam2019"
    fidelity: ClassVar[str] = "equation-level"
    assumptions: ClassVar[tuple[str, ...]] = (
        "The classifier has two layers.",
        "Weak supervision is ours; with `--objective video`, it is CMRAN's double branch gated by the matching.",
    )

    matching: Annotated[
        Literal["cross", "self"], Help("matching of local vectors: other modality's global vector, or own")
    ] = "cross"
    background: Annotated[
        bool,
        Help("weak: background class of the video; needs an objective on video probabilities"),
    ] = False

    def reads(self, supervision: Supervision) -> frozenset[Need]:
        """A global vector per modality."""
        return frozenset({GLOBAL_AUDIO, GLOBAL_VISUAL})

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Category and relevance; under weak supervision, also the video's gated probabilities."""
        return frozenset({EVENT_LOGITS, RELEVANCE_LOGITS, *(GATED_VIDEO if supervision == "weak" else ())})

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        """The head."""
        from avelzoo_baselines.dam.head import Matching

        weak = supervision == "weak"
        background = weak and self.background
        return Matching(self.matching, n=spec.n, width=widths.audio, weak=weak, background=background)


def dam(supervision: Supervision) -> Recipe:
    """DAM with its matching head; its weak variant is ours."""
    table = "Ge et al. 2023, Table 1"
    weight = 0.5  # lambda, the best of the paper's sweep
    full = supervision == "full"
    return Recipe(
        name="dam",
        summary="Wu et al. 2019: dual attention matching; its weak variant is ours",
        paper="dam2019",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=DamConfig(),
        memory=NoMemoryConfig(),
        head=MatchingConfig(),
        objective=GeneralConfig(event=weight, relevance=1 - weight) if full else GeneralConfig(),
        **recurrent_training(supervision),
        assumptions=where_weak(supervision, GENERAL_WEAK),
        published=(
            Published("full", "VGG-19 + VGGish", 0.745, "the paper, mean of 3 runs, as its readers report it"),
            Published("full", "VGG-19 + CNN14", 0.773, table),
            Published("weak", "VGG-19 + CNN14", 0.740, table),
        ),
    )
