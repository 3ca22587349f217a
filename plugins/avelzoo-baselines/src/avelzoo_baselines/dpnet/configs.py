"""Options, recipe and citation of DPNet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from avelzoo import Bounds, Help, NoMemoryConfig, Paper, Published, Recipe, Supervision, TransformConfig, WorldsConfig
from avelzoo_baselines.shared.statements import CATEGORICAL, where_weak
from avelzoo_baselines.shared.transformer_configs import AttendedTransformerConfig, Count
from avelzoo_baselines.shared.transformer_recipe import single_head, single_objective, transformer_training

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec, Transform

PAPER = Paper(
    key="dpnet2022",
    authors="V. Rao, M. I. Khalil, H. Li, P. Dai, J. Lu",
    title="Dual Perspective Network for Audio-Visual Event Localization",
    venue="ECCV",
    year=2022,
)


@dataclass(frozen=True, kw_only=True)
class DPNetConfig(AttendedTransformerConfig):
    """Alternating relational graph over segments of both modalities and dilated temporal convolutions."""

    paper: ClassVar[str] = "dpnet2022"
    fidelity: ClassVar[str] = "approximate"
    assumptions: ClassVar[tuple[str, ...]] = (
        "Only the abstract was available: edge sets, sizes, rounds and all layers are ours.",
        "The recipe trains without Replicate and Link; `--transform replicate` adds blended videos, without links.",
        "Relations: neighbours in time, within and across modalities; attention within each, then over them.",
    )

    rounds: Annotated[int, Help("alternating rounds of graph and convolutions"), Count] = 2
    reach: Annotated[int, Help("largest temporal distance of neighbours in the same modality, in segments"), Count] = 2
    cross_reach: Annotated[
        int, Help("largest temporal distance of neighbours across modalities, in segments"), Bounds(min=0)
    ] = 1
    dilations: Annotated[tuple[int, ...], Help("dilations of the temporal convolutions"), Count] = (1, 2, 4)
    convolution_dropout: Annotated[float, Help("dropout in the convolutions"), Bounds(min=0, below=1)] = 0.2
    positions: Annotated[int, Help("rows of the temporal position table"), Count] = 10

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.dpnet.model import DPNet

        cells = spec.grid[0] * spec.grid[1]
        return DPNet(self, audio_dim=spec.audio_dim, visual_dim=spec.visual_dim, cells=cells)


@dataclass(frozen=True, kw_only=True)
class ReplicateConfig(TransformConfig):
    """Adds blends of videos of the same category to the batch: Replicate and Link, without links."""

    paper: ClassVar[str] = "dpnet2022"
    fidelity: ClassVar[str] = "sketch"
    assumptions: ClassVar[tuple[str, ...]] = (
        "Only the abstract was available: the blending of two videos' segments is ours.",
        "Source and blend are not linked in the graph, because encoders treat videos independently.",
    )

    swap: Annotated[float, Help("probability of taking a segment from the partner"), Bounds(min=0, max=1)] = 0.5

    def build(self, spec: FeatureSpec, supervision: Supervision) -> Transform:
        """The transform."""
        from avelzoo_baselines.dpnet.replicate import Replicate

        return Replicate(self.swap)


def dpnet(supervision: Supervision) -> Recipe:
    """DPNet with a single branch."""
    source = "later tables, unverified"
    return Recipe(
        name="dpnet",
        summary="Rao et al. 2022: alternating graph and sequence views, reconstructed from the abstract",
        paper="dpnet2022",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=DPNetConfig(),
        memory=NoMemoryConfig(),
        head=single_head(supervision),
        objective=single_objective(supervision),
        **transformer_training(supervision),
        assumptions=where_weak(supervision, CATEGORICAL),
        published=(
            Published("full", "VGG-19 + VGGish", 0.7968, source),
            Published("weak", "VGG-19 + VGGish", 0.7431, source),
        ),
    )
