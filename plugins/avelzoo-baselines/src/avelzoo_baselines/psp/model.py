"""The encoder of PSP, and of CPSP after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional as F

from avelzoo import Encoded, Encoder, FeatureSpec, Widths
from avelzoo_baselines.channels import PAIR_SIMILARITY, PROPAGATED
from avelzoo_baselines.psp.propagation import PositiveSamplePropagation
from avelzoo_baselines.shared.streams import AttendedStreams

if TYPE_CHECKING:
    from avelzoo_baselines.psp.configs import PropagationConfig


class Psp(Encoder):
    """F = (v~ + a~) / 2 of the attended streams after `PositiveSamplePropagation` (Zhou et al. 2021, sec. 3).

    Public code: jasongief/PSP_CVPR_2021. Channels: pair_similarity (b t), the cosine of v~_t and a~_t; propagated
    (b t d), F itself, for objectives that contrast it.

    Args:
        config: the options.
        spec: sizes of the features.
    """

    def __init__(self, config: PropagationConfig, spec: FeatureSpec) -> None:
        super().__init__()
        d = 2 * config.hidden
        self.widths = Widths(fused=d, audio=d, visual=d)
        self.streams = AttendedStreams(config, spec, projections=config.projections)
        self.propagation = PositiveSamplePropagation(
            d,
            threshold=config.threshold,
            renormalize=config.renormalize,
            output_layers=config.output_layers,
            dropout=config.dropout,
        )

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, all (b t 2*hidden)."""
        heard, seen = self.streams(audio, visual)
        from_visual, from_audio = self.propagation(heard, seen)
        fused = (from_visual + from_audio) / 2
        similarity = F.cosine_similarity(from_audio, from_visual, dim=-1)
        return Encoded(fused=fused, audio=heard, visual=seen, channels={PAIR_SIMILARITY: similarity, PROPAGATED: fused})
