"""Options, recipes and citations of AVIN and of its ancestor AVFB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo import Bounds, Help, NoMemoryConfig, Paper, Published, Recipe, Supervision, WorldsConfig
from avelzoo_baselines.shared.configs import AttendedStreamsConfig
from avelzoo_baselines.shared.recurrent_recipe import recurrent_training
from avelzoo_baselines.shared.statements import CATEGORICAL, where_weak
from avelzoo_baselines.shared.transformer_recipe import single_head, single_objective

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec

AVIN = Paper(
    key="avin2020",
    authors="J. Ramaswamy",
    title="What Makes the Sound?: A Dual-Modality Interacting Network for Audio-Visual Event Localization",
    venue="ICASSP",
    year=2020,
)
AVFB = Paper(
    key="avfb2020",
    authors="J. Ramaswamy, S. Das",
    title="See the Sound, Hear the Pixels",
    venue="WACV",
    year=2020,
)


@dataclass(frozen=True, kw_only=True)
class AvinConfig(AttendedStreamsConfig):
    """Bilinear fusion of each segment; attention of each modality with its own mean and the other modality's mean."""

    paper: ClassVar[str] = "avin2020"
    fidelity: ClassVar[str] = "equation-level"
    assumptions: ClassVar[tuple[str, ...]] = (
        "Widths, the factor of the bilinear fusion and the spatial reduction are not published.",
        "The query of the collaborative attention is the other modality's mean, as in the method it is taken from.",
    )

    spatial: Annotated[Literal["attention", "mean"], Help("pooling of cells: audio-guided attention, or mean")] = (
        "attention"
    )
    interactions: Annotated[
        Literal["both", "intra", "inter", "none"],
        Help("attention query: own modality's mean, other modality's mean, or both"),
    ] = "both"
    rescale: Annotated[bool, Help("multiply attended segments by t, the inverse of the mean weight")] = False
    segment_gate: Annotated[bool, Help("attention over the fused segments (AVFB)")] = False
    fusion_width: Annotated[int, Help("channels o of the bilinear fusion"), Bounds(min=1)] = 256
    fusion_factor: Annotated[int, Help("rank q of the bilinear fusion"), Bounds(min=1)] = 5
    fusion_dropout: Annotated[float, Help("dropout in the bilinear fusion"), Bounds(min=0, below=1)] = 0.1
    projection: Annotated[
        int | None, Help("channels of a final linear layer; none = concatenation without layer"), Bounds(min=1)
    ] = None

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.avin.model import Avin

        return Avin(self, spec)


@dataclass(frozen=True, kw_only=True)
class AvfbConfig(AvinConfig):
    """Bilinear fusion of each segment and attention over fused segments, without AVIN's interactions."""

    paper: ClassVar[str] = "avfb2020"
    fidelity: ClassVar[str] = "approximate"
    assumptions: ClassVar[tuple[str, ...]] = (
        "Only the names of the blocks are known (audio-visual fusion, segment-wise attention); every layer is AVIN's.",
    )

    interactions: Annotated[
        Literal["both", "intra", "inter", "none"],
        Help("attention query: own modality's mean, other modality's mean, or both"),
    ] = "none"
    segment_gate: Annotated[bool, Help("attention over the fused segments")] = True


def avin(supervision: Supervision) -> Recipe:
    """AVIN with a single branch."""
    table = "Ge et al. 2023, Table 1"
    return _recipe(
        "avin",
        "Ramaswamy 2020: audio-visual interacting network",
        "avin2020",
        supervision,
        encoder=_encoder(AvinConfig, interactions="both", segment_gate=False),
        published=(
            Published("full", "VGG-19 + VGGish", 0.752, table),
            Published("weak", "VGG-19 + VGGish", 0.694, table),
        ),
    )


def avfb(supervision: Supervision) -> Recipe:
    """AVFB and SWAB, reconstructed from the names of their blocks."""
    source = "later tables, unverified"
    return _recipe(
        "avfb",
        "Ramaswamy and Das 2020: fusion block and segment-wise attention, a sketch from their names",
        "avfb2020",
        supervision,
        encoder=_encoder(AvfbConfig, interactions="none", segment_gate=True),
        published=(
            Published("full", "VGG-19 + VGGish", 0.748, source),
            Published("weak", "VGG-19 + VGGish", 0.689, source),
        ),
    )


def _encoder(config: type[AvinConfig], *, interactions: Literal["both", "none"], segment_gate: bool) -> AvinConfig:
    return config(
        hidden=128,
        attention_width=512,
        attention_axis="projection",
        spatial="attention",
        interactions=interactions,
        rescale=False,
        segment_gate=segment_gate,
        fusion_width=256,
        fusion_factor=5,
        fusion_dropout=0.1,
        projection=None,
    )


def _recipe(
    name: str,
    summary: str,
    paper: str,
    supervision: Supervision,
    *,
    encoder: AvinConfig,
    published: tuple[Published, ...],
) -> Recipe:
    return Recipe(
        name=name,
        summary=summary,
        paper=paper,
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=encoder,
        memory=NoMemoryConfig(),
        head=single_head(supervision),
        objective=single_objective(supervision),
        **recurrent_training(supervision),
        assumptions=where_weak(supervision, CATEGORICAL),
        published=published,
    )
