"""Options that the transformer systems known from papers alone have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from avelzoo import Bounds, EncoderConfig, Help
from avelzoo_baselines.shared.options import require_divisor

Count = Bounds(min=1)


@dataclass(frozen=True, kw_only=True)
class TransformerConfig(EncoderConfig):
    """Sizes of the transformer blocks: those of Ge et al. 2023, where a paper states none."""

    width: Annotated[int, Help("channels d of all outputs"), Count] = 256
    heads: Annotated[int, Help("attention heads; must divide width"), Count] = 4
    feedforward: Annotated[int, Help("hidden channels of the feed-forward layers"), Count] = 1024
    dropout: Annotated[float, Help("dropout inside the transformers"), Bounds(min=0, below=1)] = 0.1

    def __post_init__(self) -> None:
        """Check that the heads fit."""
        super().__post_init__()
        require_divisor(self.width, heads=self.heads)


@dataclass(frozen=True, kw_only=True)
class AttendedTransformerConfig(TransformerConfig):
    """The same behind audio-guided attention over the cells (Tian et al. 2018)."""

    attention_width: Annotated[int, Help("width of the stem's space for comparing cells and audio"), Count] = 512
    attention_axis: Annotated[
        Literal["projection", "location"], Help("audio in the stem: projected vector, or number per cell")
    ] = "projection"
