"""The encoders of AVEL 2018."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from avelzoo import Encoded, Encoder, FeatureSpec, Widths
from avelzoo.nn import ResidualFusion
from avelzoo_baselines.shared.streams import AttendedStreams

if TYPE_CHECKING:
    from avelzoo_baselines.avel2018.configs import Avel2018Config, Avel2018DmrnConfig


class Avel2018(Encoder):
    """A+V-att: F = ReLU([h_a; h_v]) of the attended streams (Tian et al. 2018; public code YapengTian/AVE-ECCV18).

    Args:
        config: the options.
        spec: sizes of the features.
    """

    def __init__(self, config: Avel2018Config, spec: FeatureSpec) -> None:
        super().__init__()
        d = 2 * config.hidden
        self.widths = Widths(fused=2 * d, audio=d, visual=d)
        self.streams = AttendedStreams(config, spec)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, fused (b t 4*hidden), the others (b t 2*hidden)."""
        heard, seen = self.streams(audio, visual)
        return Encoded(fused=torch.cat([heard, seen], dim=-1).relu(), audio=heard, visual=seen)


class Avel2018Dmrn(Encoder):
    """DMRN: F = ResidualFusion(h_a, h_v) of the attended streams (Tian et al. 2018, sec. 4.3; same public code).

    Args:
        config: the options.
        spec: sizes of the features.
    """

    def __init__(self, config: Avel2018DmrnConfig, spec: FeatureSpec) -> None:
        super().__init__()
        d = 2 * config.hidden
        self.widths = Widths(fused=d, audio=d, visual=d)
        self.streams = AttendedStreams(config, spec, xavier=config.attention_init == "xavier")
        self.fusion = ResidualFusion(d, config.blocks, swap=config.swap)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, all (b t 2*hidden)."""
        heard, seen = self.streams(audio, visual)
        return Encoded(fused=self.fusion(heard, seen), audio=heard, visual=seen)
