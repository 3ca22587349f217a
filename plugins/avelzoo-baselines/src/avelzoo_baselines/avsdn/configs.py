"""Options, recipes and citation of AVSDN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo import (
    AdamConfig,
    DoubleConfig,
    GeneralConfig,
    Help,
    NoMemoryConfig,
    Paper,
    Published,
    Recipe,
    StepsConfig,
    Supervision,
    TrainConfig,
    WorldsConfig,
)
from avelzoo_baselines.shared.configs import AttendedStreamsConfig, GatedDoubleConfig, VideoConfig
from avelzoo_baselines.shared.recurrent_recipe import recurrent_training
from avelzoo_baselines.shared.statements import CATEGORICAL, GATES, where_weak
from avelzoo_baselines.shared.transformer_recipe import single_head, single_objective

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec

PAPER = Paper(
    key="avsdn2019",
    authors="Y.-B. Lin, Y.-J. Li, Y.-C. F. Wang",
    title="Dual-modality Seq2Seq Network for Audio-visual Event Localization",
    venue="ICASSP",
    year=2019,
    doi="10.48550/arXiv.1902.07473",
)
PUBLISHED = (
    Published("full", "VGG-19 + VGGish", 0.726, "a re-run quoted by Wu et al. 2019"),
    Published("full", "ResNet-152 + VGGish", 0.754, "the paper, as its readers report it"),
    Published("weak", "VGG-19 + VGGish", 0.665, "quoted by Ramaswamy 2020"),
    Published("weak", "ResNet-152 + VGGish", 0.742, "the paper, as its readers report it"),
)


@dataclass(frozen=True, kw_only=True)
class AvsdnConfig(AttendedStreamsConfig):
    """One LSTM per modality; a third LSTM, initialised from their fused states, reads both (Lin et al. 2019)."""

    paper: ClassVar[str] = "avsdn2019"
    fidelity: ClassVar[str] = "equation-level"
    assumptions: ClassVar[tuple[str, ...]] = (
        "Widths and directions of the LSTMs are not published; `avsdn-cpsp` uses those of jasongief/CPSP.",
        "The paper uses feature vectors; for feature maps, audio-guided attention precedes the LSTMs.",
    )

    spatial: Annotated[Literal["attention", "mean"], Help("pooling of cells: audio-guided attention, or mean")] = (
        "attention"
    )
    directions: Annotated[Literal["forward", "both"], Help("time directions of all LSTMs")] = "forward"
    shared_fusion: Annotated[bool, Help("share weights between the fusions of hidden and cell states")] = False
    relu: Annotated[bool, Help("ReLU on the states before fusion and on the output")] = False

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.avsdn.model import Avsdn

        return Avsdn(self, spec)


def avsdn(supervision: Supervision) -> Recipe:
    """AVSDN as described in its paper, with n+1 classes per segment."""
    return Recipe(
        name="avsdn",
        summary="Lin et al. 2019: dual-modality sequence to sequence, as described in the paper",
        paper="avsdn2019",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=_encoder(hidden=256, unofficial=False),
        memory=NoMemoryConfig(),
        head=single_head(supervision),
        objective=single_objective(supervision),
        **recurrent_training(supervision),
        assumptions=where_weak(supervision, CATEGORICAL),
        published=PUBLISHED,
    )


def avsdn_cpsp(supervision: Supervision) -> Recipe:
    """AVSDN as re-implemented in CPSP's code: bidirectional LSTMs, double branch, other training values."""
    full = supervision == "full"
    return Recipe(
        name="avsdn-cpsp",
        summary="Lin et al. 2019: AVSDN by the unofficial code in jasongief/CPSP",
        paper="avsdn2019",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=_encoder(hidden=128, unofficial=True),
        memory=NoMemoryConfig(),
        head=DoubleConfig(dropout=0.0) if full else GatedDoubleConfig(pooling="mean"),
        objective=GeneralConfig() if full else VideoConfig(video_loss="soft-margin"),
        optimizer=AdamConfig(learning_rate=1e-3),
        schedule=StepsConfig(milestones=(10, 20, 30) if full else (5, 20, 40), gamma=0.5),
        train=TrainConfig(epochs=45, batch_size=64, clip_norm=0.1, drop_last=False),
        limits=where_weak(supervision, GATES),
    )


def _encoder(*, hidden: int, unofficial: bool) -> AvsdnConfig:
    return AvsdnConfig(
        hidden=hidden,
        attention_axis="location" if unofficial else "projection",
        directions="both" if unofficial else "forward",
        shared_fusion=unofficial,
        relu=unofficial,
    )
