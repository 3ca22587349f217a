"""Options, recipes and citation of CMRAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from avelzoo import (
    AdamConfig,
    Bounds,
    ComputeConfig,
    DoubleConfig,
    EncoderConfig,
    GeneralConfig,
    HeadConfig,
    Help,
    NoMemoryConfig,
    ObjectiveConfig,
    Paper,
    Published,
    Recipe,
    StepsConfig,
    Supervision,
    TrainConfig,
    WorldsConfig,
)
from avelzoo_baselines.shared.configs import GatedDoubleConfig, VideoConfig
from avelzoo_baselines.shared.options import require_divisor
from avelzoo_baselines.shared.statements import GATES, where_weak

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec

PAPER = Paper(
    key="cmran2020",
    authors="H. Xu, R. Zeng, Q. Wu, M. Tan, C. Gan",
    title="Cross-Modal Relation-Aware Networks for Audio-Visual Event Localization",
    venue="ACM Multimedia",
    year=2020,
    doi="10.1145/3394171.3413581",
    code="FloretCat/CMRAN",
)


@dataclass(frozen=True, kw_only=True)
class CmranConfig(EncoderConfig):
    """Audio-guided spatial-channel attention, cross-modal relation attention, interaction (Xu et al. 2020)."""

    paper: ClassVar[str] = "cmran2020"
    fidelity: ClassVar[str] = "parity"

    width: Annotated[int, Help("channels d of all outputs"), Bounds(min=1)] = 256
    heads: Annotated[int, Help("attention heads of the relation layers; must divide width"), Bounds(min=1)] = 4
    feedforward: Annotated[int, Help("hidden channels of the feed-forward layers"), Bounds(min=1)] = 2048
    layers: Annotated[int, Help("blocks of each relation encoder"), Bounds(min=1)] = 2
    attention_width: Annotated[int, Help("width of the attention's comparison space"), Bounds(min=1)] = 256
    fusion_heads: Annotated[int, Help("attention heads of the interaction; must divide width"), Bounds(min=1)] = 4
    dropout: Annotated[float, Help("dropout inside the relation layers"), Bounds(min=0, below=1)] = 0.1
    input_dropout: Annotated[float, Help("dropout on the projected visual cells"), Bounds(min=0, below=1)] = 0.2
    fusion_dropout: Annotated[float, Help("dropout on the interaction's weights"), Bounds(min=0, below=1)] = 0.1
    equal_layers: Annotated[bool, Help("initialise all blocks of a stack with equal weights (public code)")] = False

    def __post_init__(self) -> None:
        """Check that the heads fit."""
        super().__post_init__()
        require_divisor(self.width, heads=self.heads, fusion_heads=self.fusion_heads)

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.cmran.model import Cmran

        return Cmran(self, audio_dim=spec.audio_dim, visual_dim=spec.visual_dim)


def cmran(supervision: Supervision) -> Recipe:
    """CMRAN in float32 with independently initialised layers."""
    return _recipe("cmran", "Xu et al. 2020: cross-modal relation-aware networks", supervision, official=False)


def cmran_official(supervision: Supervision) -> Recipe:
    """CMRAN as in its public code: float64, layers initialised equally."""
    return _recipe("cmran-official", "Xu et al. 2020: the public code (FloretCat/CMRAN)", supervision, official=True)


def _recipe(name: str, summary: str, supervision: Supervision, *, official: bool) -> Recipe:
    full = supervision == "full"
    head: HeadConfig = DoubleConfig(pooling="max", dropout=0.0) if full else GatedDoubleConfig()
    return Recipe(
        name=name,
        summary=summary,
        paper="cmran2020",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=CmranConfig(fusion_heads=4 if full else 2, equal_layers=official),
        memory=NoMemoryConfig(),
        head=head,
        objective=FULL if full else WEAK,
        optimizer=AdamConfig(learning_rate=5e-4),
        schedule=StepsConfig(milestones=(10, 20, 30) if full else (5, 20, 40), gamma=0.5),
        train=TrainConfig(
            epochs=200, batch_size=32, clip_norm=0.1 if full else 0.5, drop_last=False, seed=456 if full else 666
        ),
        compute=ComputeConfig(precision="64" if official else "32"),
        limits=where_weak(supervision, GATES),
        published=(
            Published("full", "VGG-19 + VGGish", 0.774, SOURCE),
            Published("full", "VGG-19 + CNN14", 0.783, SOURCE),
            Published("weak", "VGG-19 + VGGish", 0.730, SOURCE),
            Published("weak", "VGG-19 + CNN14", 0.743, SOURCE),
        ),
    )


SOURCE = "Ge et al. 2023, Table 1"
FULL: ObjectiveConfig = GeneralConfig()
"""Categories and relevance with weight 1 each; the other terms appear with other heads and memories alone."""
WEAK: ObjectiveConfig = VideoConfig(video_loss="soft-margin")
"""The video's probabilities with weight 1; the other terms appear with other heads and memories alone."""
