"""Baseline encoder."""

from __future__ import annotations

from einops import reduce
from torch import Tensor, nn

from avelzoo.contracts import Encoder
from avelzoo.records import Encoded, Widths


class MeanPool(Encoder):
    """Baseline encoder: A_t = W_a a_t, V_t = W_v mean_hw(v_t), F_t = LN(A_t + V_t).

    Args:
        audio_dim: a.
        visual_dim: v.
        width: d.
        dropout: dropout on A and V.
    """

    def __init__(self, *, audio_dim: int, visual_dim: int, width: int, dropout: float) -> None:
        super().__init__()
        self.widths = Widths(fused=width, audio=width, visual=width)
        self.audio = nn.Sequential(nn.Linear(audio_dim, width), nn.Dropout(dropout))
        self.visual = nn.Sequential(nn.Linear(visual_dim, width), nn.Dropout(dropout))
        self.norm = nn.LayerNorm(width)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded."""
        heard = self.audio(audio)
        seen = self.visual(reduce(visual, "b t h w v -> b t v", "mean"))
        return Encoded(fused=self.norm(heard + seen), audio=heard, visual=seen)
