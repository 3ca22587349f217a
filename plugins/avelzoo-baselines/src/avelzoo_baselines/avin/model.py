"""AVIN's encoder, and AVFB's as a case of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from avelzoo import Encoded, Encoder, FeatureSpec, Widths
from avelzoo_baselines.avin.bilinear import BilinearFusion, SegmentGate
from avelzoo_baselines.shared.streams import AttendedStreams

if TYPE_CHECKING:
    from avelzoo_baselines.avin.configs import AvinConfig


class Avin(Encoder):
    """F_t = [s^v_t; s^a_t; c^v_t; c^a_t; z_t] (Ramaswamy 2020).

    With v, a the attended streams (b t d), d = 2*hidden::

        z_t   = BilinearFusion(v_t, a_t)
        s^v_t = softmax_t(v_t . mean_t v_t) v_t                intra-modality, s^a alike
        c^v_t = softmax_t(v_t . mean_t s^a_t) v_t              inter-modality, c^a alike

    AVFB has z alone, weighed by a `SegmentGate`.

    Args:
        config: the options.
        spec: sizes of the features.
    """

    def __init__(self, config: AvinConfig, spec: FeatureSpec) -> None:
        super().__init__()
        d = 2 * config.hidden
        self.intra = config.interactions in ("both", "intra")
        self.inter = config.interactions in ("both", "inter")
        self.rescale = config.rescale
        self.streams = AttendedStreams(config, spec, attend=config.spatial == "attention")
        self.fusion = BilinearFusion(d, config.fusion_width, config.fusion_factor, config.fusion_dropout)
        self.gate = SegmentGate(config.fusion_width) if config.segment_gate else None
        width = config.fusion_width + 2 * d * (self.intra + self.inter)
        self.projection = nn.Linear(width, config.projection) if config.projection else None
        self.widths = Widths(fused=config.projection or width, audio=d, visual=d)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded; the uni-modal outputs are the streams (b t 2*hidden)."""
        heard, seen = self.streams(audio, visual)
        mixed = self.fusion(seen, heard)
        if self.gate is not None:
            mixed = self.gate(mixed)
        own_seen, own_heard = self.attend(seen, seen), self.attend(heard, heard)
        parts = [own_seen, own_heard] if self.intra else []
        if self.inter:
            parts += [self.attend(seen, own_heard), self.attend(heard, own_seen)]
        fused = torch.cat([*parts, mixed], dim=-1)
        if self.projection is not None:
            fused = self.projection(fused)
        return Encoded(fused=fused, audio=heard, visual=seen)

    def attend(self, x: Tensor, other: Tensor) -> Tensor:
        """x_t weighed by softmax_t(x_t . mean_t other_t): (b t d), (b t d) -> (b t d)."""
        attended = attention_over_time(x, other.mean(dim=1)).unsqueeze(-1) * x
        return attended * x.shape[1] if self.rescale else attended


def attention_over_time(x: Tensor, query: Tensor) -> Tensor:
    """softmax_t(x_t . q): (b t d), (b d) -> (b t)."""
    return torch.einsum("btd,bd->bt", x, query).softmax(dim=1)
