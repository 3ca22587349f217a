"""Options of the encoder 'conv-mix'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from avelzoo import Bounds, EncoderConfig, Help

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec


@dataclass(frozen=True, kw_only=True)
class ConvMixConfig(EncoderConfig):
    """Linear projections of both modalities, mixed over neighbouring segments by one convolution."""

    width: Annotated[int, Help("output channels d"), Bounds(min=1)] = 256
    reach: Annotated[int, Help("neighbouring segments on each side"), Bounds(min=0)] = 1

    def build(self, spec: FeatureSpec) -> Encoder:
        """Build the encoder for features of these sizes."""
        from avelzoo_conv_mix.encoder import ConvMix

        return ConvMix(audio_dim=spec.audio_dim, visual_dim=spec.visual_dim, width=self.width, reach=self.reach)
