"""The dual multimodal residual network (Tian et al. 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResidualFusion(nn.Module):
    """Dual multimodal residual network, DMRN (Tian et al. 2018, sec. 4.3).

    With U(x) = W2 tanh(W1 x + b1) + b2 for each modality, every block computes::

        m = (U_v(v) + U_a(a)) / 2
        v <- tanh(v + m),  a <- tanh(a + m)

    and the output is (v + a) / 2. All blocks share U_v and U_a. The public code (YapengTian/AVE-ECCV18) swaps the
    modalities, v <- tanh(a + m) and a <- tanh(v + m) (``swap``); the result differs from the second block on.

    Args:
        width: channels d.
        blocks: number of blocks.
        swap: swap the modalities in every block.
    """

    def __init__(self, width: int, blocks: int = 1, *, swap: bool = False) -> None:
        super().__init__()
        self.blocks, self.swap = blocks, swap
        self.audio = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, width))
        self.visual = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, width))

    def forward(self, audio: Tensor, visual: Tensor) -> Tensor:
        """(... d), (... d) -> (... d)."""
        for _ in range(self.blocks):
            common = (self.visual(visual) + self.audio(audio)) / 2
            audio, visual = torch.tanh(audio + common), torch.tanh(visual + common)
            if self.swap:
                audio, visual = visual, audio
        return (audio + visual) / 2
