"""Options, recipe and citation of MM-Pyramid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo import (
    AdamConfig,
    Bounds,
    EncoderConfig,
    GeneralConfig,
    HeadConfig,
    Help,
    NoMemoryConfig,
    ObjectiveConfig,
    Paper,
    Published,
    Recipe,
    SingleConfig,
    StepsConfig,
    Supervision,
    TrainConfig,
    WorldsConfig,
)
from avelzoo_baselines.shared.configs import PooledSingleConfig, VideoConfig
from avelzoo_baselines.shared.options import require_divisor
from avelzoo_baselines.shared.statements import where_weak

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec

PAPER = Paper(
    key="mmpyramid2022",
    authors="J. Yu, Y. Cheng, R.-W. Zhao, R. Feng, Y. Zhang",
    title="MM-Pyramid: Multimodal Pyramid Attentional Network for Audio-Visual Event Localization and Video Parsing",
    venue="ACM Multimedia",
    year=2022,
    doi="10.48550/arXiv.2111.12374",
    code="JustinYuu/MM_Pyramid",
)
Count = Bounds(min=1)
Rate = Bounds(min=0, below=1)


@dataclass(frozen=True, kw_only=True)
class MMPyramidConfig(EncoderConfig):
    """Attention and dilated convolutions at four temporal scales, fused per segment (Yu et al. 2022)."""

    paper: ClassVar[str] = "mmpyramid2022"
    fidelity: ClassVar[str] = "faithful"
    assumptions: ClassVar[tuple[str, ...]] = (
        "The pyramid is that of the public code for video parsing; the same levels and sizes are assumed for AVE.",
        "Visual stem: audio-guided attention, then one linear layer; audio stem: one linear layer.",
        "Fusion of the two streams: one linear layer on their concatenation, ReLU.",
    )

    width: Annotated[int, Help("channels d of all outputs"), Count] = 512
    heads: Annotated[int, Help("attention heads; must divide width"), Count] = 8
    feedforward: Annotated[int, Help("hidden channels of the feed-forward layers"), Count] = 512
    levels: Annotated[int, Help("pyramid levels; level i spans 2^i segments to each side"), Bounds(min=1, max=16)] = 4
    dropout: Annotated[float, Help("dropout on all branches of the pyramid"), Rate] = 0.2
    attention_dropout: Annotated[float, Help("dropout on the pyramid's attention weights"), Rate] = 0.1
    attention_width: Annotated[int, Help("width of the stem's space for comparing cells and audio"), Count] = 512
    attention_axis: Annotated[
        Literal["location", "projection"],
        Help("audio in the stem: number per cell (public codes), or projected vector (paper)"),
    ] = "projection"
    equal_layers: Annotated[bool, Help("initialise all attention layers with equal weights (public code)")] = False

    def __post_init__(self) -> None:
        """Check that the heads fit."""
        super().__post_init__()
        require_divisor(self.width, heads=self.heads)

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.mm_pyramid.model import MMPyramid

        cells = spec.grid[0] * spec.grid[1]
        return MMPyramid(self, audio_dim=spec.audio_dim, visual_dim=spec.visual_dim, cells=cells)


def mm_pyramid(supervision: Supervision) -> Recipe:
    """MM-Pyramid with a single branch; training values are those of the public code for video parsing."""
    full = supervision == "full"
    head: HeadConfig = SingleConfig(dropout=0.0) if full else PooledSingleConfig()
    return Recipe(
        name="mm-pyramid",
        summary="Yu et al. 2022: the public pyramid, its AVE stem, head and training reconstructed",
        paper="mmpyramid2022",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=MMPyramidConfig(),
        memory=NoMemoryConfig(),
        head=head,
        objective=_FULL if full else _WEAK,
        optimizer=AdamConfig(learning_rate=1e-4),
        schedule=StepsConfig(milestones=(10, 20, 30)),
        train=TrainConfig(epochs=40, batch_size=16, drop_last=False, seed=1),
        assumptions=where_weak(supervision, _WEAK_LOSS),
        published=(
            Published("full", "VGG-19 + VGGish", 0.778, "Ge et al. 2023, Table 1"),
            Published("weak", "VGG-19 + VGGish", 0.732, "Ge et al. 2023, Table 1"),
        ),
    )


_FULL: ObjectiveConfig = GeneralConfig()
_WEAK_LOSS = (
    "Weak loss: soft margin on the video's probabilities, as in other systems' public code. The public code of this one"
    " is for parsing and trains another."
)
_WEAK: ObjectiveConfig = VideoConfig(video_loss="soft-margin")
