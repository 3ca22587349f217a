"""Baseline encoder."""

from __future__ import annotations

import torch
from einops import reduce
from torch import Tensor, nn

from avelzoo.contracts import Encoder
from avelzoo.records import Encoded, Widths


class MeanPool(Encoder):
    """Baseline encoder: A_t = W_a a_t, V_t = W_v mean_hw(v_t), F_t = LN(A_t + V_t).

    With ``standardize``, a_t and v_t are first standardized per channel.

    Args:
        audio_dim: a.
        visual_dim: v.
        width: d.
        dropout: dropout on A and V.
        standardize: subtract each channel's mean over the training segments and divide by its deviation.
    """

    def __init__(
        self, *, audio_dim: int, visual_dim: int, width: int, dropout: float, standardize: bool = False
    ) -> None:
        super().__init__()
        self.widths = Widths(fused=width, audio=width, visual=width)
        self.audio = nn.Sequential(nn.Linear(audio_dim, width), nn.Dropout(dropout))
        self.visual = nn.Sequential(nn.Linear(visual_dim, width), nn.Dropout(dropout))
        self.norm = nn.LayerNorm(width)
        self.audio_scale = Standardize(audio_dim) if standardize else nn.Identity()
        self.visual_scale = Standardize(visual_dim) if standardize else nn.Identity()

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded."""
        heard = self.audio(self.audio_scale(audio))
        seen = self.visual(self.visual_scale(reduce(visual, "b t h w v -> b t v", "mean")))
        return Encoded(fused=self.norm(heard + seen), audio=heard, visual=seen)


class Standardize(nn.Module):
    """(x - mean) / deviation per channel, over all segments seen in training. Videos stay independent of each other.

    Args:
        channels: channels of x.
    """

    count: Tensor
    total: Tensor
    squares: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("total", torch.zeros(channels, dtype=torch.float64))
        self.register_buffer("squares", torch.zeros(channels, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """(... channels) -> (... channels)."""
        if self.training:
            with torch.no_grad():
                rows = x.detach().double().flatten(0, -2)
                self.count += len(rows)
                self.total += rows.sum(dim=0)
                self.squares += rows.square().sum(dim=0)
        mean = self.total / self.count.clamp_min(1)
        variance = (self.squares / self.count.clamp_min(1) - mean.square()).clamp_min(1e-8)
        return ((x - mean) / variance.sqrt()).to(x.dtype)
