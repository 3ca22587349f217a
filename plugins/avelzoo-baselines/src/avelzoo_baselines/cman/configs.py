"""Options, recipe and citation of CMAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo import (
    Bounds,
    Channel,
    EncoderConfig,
    Help,
    NoMemoryConfig,
    Paper,
    Published,
    Recipe,
    Supervision,
    WorldsConfig,
)
from avelzoo_baselines.channels import SENTINEL_WEIGHTS
from avelzoo_baselines.shared.recurrent_recipe import recurrent_training
from avelzoo_baselines.shared.statements import CATEGORICAL, where_weak
from avelzoo_baselines.shared.transformer_recipe import single_head, single_objective

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec

PAPER = Paper(
    key="cman2020",
    authors="H. Xuan, Z. Zhang, S. Chen, J. Yang, Y. Yan",
    title="Cross-Modal Attention Network for Temporal Inconsistent Audio-Visual Event Localization",
    venue="AAAI",
    year=2020,
    doi="10.1609/aaai.v34i01.5361",
)


@dataclass(frozen=True, kw_only=True)
class CmanConfig(EncoderConfig):
    """Attention over cells, over segments, and adaptively to the other modality (Xuan et al. 2020)."""

    paper: ClassVar[str] = "cman2020"
    fidelity: ClassVar[str] = "equation-level"
    assumptions: ClassVar[tuple[str, ...]] = (
        "The sentinel's equations are those of the visual sentinel after which it is named.",
        "Widths, the form of the self-attention and the LSTM's direction are not published.",
        "Raw cells are summed; the cosine's scale is learned, with initial value `scale`.",
        "The head is a single branch; the paper's head and losses are unknown.",
    )

    hidden: Annotated[int, Help("channels of the LSTMs"), Bounds(min=1)] = 128
    attention_width: Annotated[int, Help("width of the space for comparing cells and audio"), Bounds(min=1)] = 256
    scale: Annotated[float, Help("initial scale of the cosine; 1 gives nearly uniform weights"), Bounds(above=0)] = 1.0
    sentinel: Annotated[Literal["adaptive", "never"], Help("sentinel: adaptive use of the own modality, or never")] = (
        "adaptive"
    )

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Sentinel weights of each segment's own modality."""
        return frozenset({SENTINEL_WEIGHTS}) if self.sentinel == "adaptive" else frozenset()

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.cman.model import Cman

        return Cman(self, audio_dim=spec.audio_dim, visual_dim=spec.visual_dim)


def cman(supervision: Supervision) -> Recipe:
    """CMAN with a single branch."""
    tables, readers = "later tables, unverified", "the paper, as its readers report it"
    return Recipe(
        name="cman",
        summary="Xuan et al. 2020: cross-modal attention with a sentinel",
        paper="cman2020",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=CmanConfig(),
        memory=NoMemoryConfig(),
        head=single_head(supervision),
        objective=single_objective(supervision),
        **recurrent_training(supervision),
        assumptions=where_weak(supervision, CATEGORICAL),
        published=(
            Published("full", "VGG-19 + VGGish", 0.733, tables),
            Published("full", "ResNet-152 + VGGish", 0.771, readers),
            Published("weak", "VGG-19 + VGGish", 0.704, tables),
            Published("weak", "ResNet-152 + VGGish", 0.757, readers),
        ),
    )
