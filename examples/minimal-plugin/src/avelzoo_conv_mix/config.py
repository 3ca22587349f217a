"""Options of the encoder 'conv-mix'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from avelzoo import Bounds, EncoderConfig, Help

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec


@dataclass(frozen=True, kw_only=True)
class ConvMixConfig(EncoderConfig):
    """Both modalities per segment, mixed over neighbouring segments by one convolution."""

    width: Annotated[int, Help("channels d of all outputs"), Bounds(min=1)] = 256
    reach: Annotated[int, Help("neighbours on each side that a segment sees"), Bounds(min=0)] = 1

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder for features of these sizes."""
        from avelzoo_conv_mix.encoder import ConvMix

        return ConvMix(audio_dim=spec.audio_dim, visual_dim=spec.visual_dim, width=self.width, reach=self.reach)
