"""Positive sample propagation."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo.nn import Dropout


class PositiveSamplePropagation(nn.Module):
    """Each modality gathers from those segments of the other that fit it well (Zhou et al. 2021, sec. 3.2).

    With v_1, v_2, a_1, a_2 = Dropout(ReLU(W h)) of the streams h_v and h_a::

        S = ReLU(v_2 a_1^T / sqrt(d))                     rows visual, columns audio
        beta = M / (sum of row + 1e-8)                    for M = S and M = S^T
        gamma = beta where beta > tau, else 0             divided by its row's sum again with ``renormalize``
        v~ = h_v + gamma_S a_2,  a~ = h_a + gamma_S^T v_1
        v~, a~ <- Dropout(ReLU(W v~)), Dropout(ReLU(W a~))         with ``output_layers``
        v~, a~ <- LN(v~), LN(a~)                                   one norm for both

    tau is compared with shares of a row: it is meant for as many segments as 1 / tau, and where t is larger, even
    rows are pruned whole. Initial weights are Xavier's.

    Args:
        width: channels d.
        threshold: tau.
        renormalize: rows sum to 1 again after pruning.
        output_layers: a layer for each modality after the propagation.
        dropout: after every layer.
    """

    def __init__(
        self, width: int, *, threshold: float, renormalize: bool, output_layers: bool, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.threshold, self.renormalize = threshold, renormalize
        self.visual_1, self.visual_2 = _layer(width), _layer(width)
        self.audio_1, self.audio_2 = _layer(width), _layer(width)
        self.visual_out = _layer(width) if output_layers else None
        self.audio_out = _layer(width) if output_layers else None
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.dropout = Dropout(dropout)

    def forward(self, audio: Tensor, visual: Tensor) -> tuple[Tensor, Tensor]:
        """h_a, h_v (b t d) -> a~, v~ (b t d)."""
        v1, v2 = self._through(self.visual_1, visual), self._through(self.visual_2, visual)
        a1, a2 = self._through(self.audio_1, audio), self._through(self.audio_2, audio)
        fit = F.relu(v2 @ a1.transpose(1, 2) / math.sqrt(v2.shape[-1]))
        visual = visual + self.prune(fit) @ a2
        audio = audio + self.prune(fit.transpose(1, 2)) @ v1
        if self.visual_out is not None and self.audio_out is not None:
            visual, audio = self._through(self.visual_out, visual), self._through(self.audio_out, audio)
        return self.norm(audio), self.norm(visual)

    def prune(self, fit: Tensor) -> Tensor:
        """gamma from non-negative M, both (b q k)."""
        share = _normalized(fit)
        kept = share * (share > self.threshold)
        return _normalized(kept) if self.renormalize else kept

    def _through(self, layer: nn.Module, x: Tensor) -> Tensor:
        out: Tensor = self.dropout(F.relu(layer(x)))
        return out


def _layer(width: int) -> nn.Linear:
    layer = nn.Linear(width, width, bias=False)
    nn.init.xavier_uniform_(layer.weight)
    return layer


def _normalized(rows: Tensor) -> Tensor:
    return rows / (rows.sum(dim=-1, keepdim=True) + 1e-8)
