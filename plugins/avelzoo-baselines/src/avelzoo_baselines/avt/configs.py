"""Options, recipe and citation of AVT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from avelzoo import Bounds, Help, NoMemoryConfig, Paper, Published, Recipe, Supervision, WorldsConfig
from avelzoo_baselines.shared.statements import CATEGORICAL, where_weak
from avelzoo_baselines.shared.transformer_configs import Count, TransformerConfig
from avelzoo_baselines.shared.transformer_recipe import single_head, single_objective, transformer_training

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec

PAPER = Paper(
    key="avt2020",
    authors="Y.-B. Lin, Y.-C. F. Wang",
    title="Audiovisual Transformer with Instance Attention for Audio-Visual Event Localization",
    venue="ACCV",
    year=2020,
)


@dataclass(frozen=True, kw_only=True)
class AVTConfig(TransformerConfig):
    """Intra-frame, inter-frame and audio streams with co-attention, and attention to the sounding instance."""

    paper: ClassVar[str] = "avt2020"
    fidelity: ClassVar[str] = "approximate"
    assumptions: ClassVar[tuple[str, ...]] = (
        "Only the idea is published: three streams, co-attention over them, instance attention. Every layer is ours.",
        "Sizes are those of Ge et al. 2023's transformers.",
        "Instance attention is additive over cell, frame and audio.",
        "Temporal positions are learned.",
    )

    instance_attention: Annotated[bool, Help("attention over a frame's cells; off = mean")] = True
    inter_frame: Annotated[bool, Help("use the stream of frames over time")] = True
    frame_reach: Annotated[
        int | None, Help("neighbouring frames per side in the inter-frame stream; none = all"), Bounds(min=0)
    ] = None
    positions: Annotated[int, Help("rows of the temporal position table"), Count] = 10

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.avt.model import AVT

        return AVT(self, audio_dim=spec.audio_dim, visual_dim=spec.visual_dim)


def avt(supervision: Supervision) -> Recipe:
    """AVT with a single branch."""
    return Recipe(
        name="avt",
        summary="Lin and Wang 2020: audiovisual transformer with instance attention, reconstructed from its idea",
        paper="avt2020",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=AVTConfig(),
        memory=NoMemoryConfig(),
        head=single_head(supervision),
        objective=single_objective(supervision),
        **transformer_training(supervision),
        assumptions=where_weak(supervision, CATEGORICAL),
        published=_PUBLISHED,
    )


_SOURCE = "Ge et al. 2023, Table 1"
_PUBLISHED = (
    Published("full", "VGG-19 + VGGish", 0.758, _SOURCE),
    Published("full", "VGG-19 + CNN14", 0.767, _SOURCE),
    Published("weak", "VGG-19 + VGGish", 0.702, _SOURCE),
    Published("weak", "VGG-19 + CNN14", 0.743, _SOURCE),
)
