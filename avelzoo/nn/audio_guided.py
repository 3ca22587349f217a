"""Audio-guided visual attention of AVEL 2018 (Tian et al.), also used by PSP, CPSP and later systems."""

from __future__ import annotations

from typing import Literal

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo.nn.cpu.contraction import contracted_hidden

Axis = Literal["location", "projection"]


class AudioGuidedAttention(nn.Module):
    """Audio-guided attention: weighted mean of a segment's cells (Tian et al. 2018, sec. 4.2).

    With X_l the cells of a segment, l in 1..L, and g its audio::

        H_l = ReLU(U_v X_l),  q = ReLU(U_g g)                   both ``hidden`` channels
        M_lj = tanh(W_v[j] . H_l + r)                           j in 1..``cells``
        alpha = softmax_l(sum_j w_j M_lj),  out = sum_l alpha_l X_l

    The audio term is r = (W_g q)_j, equal for all cells (``projection``, the paper's formula), or r = (W_g q)_l, one
    number per cell (``location``, computed by the public codes YapengTian/AVE-ECCV18 and jasongief/PSP_CVPR_2021).
    Both have the same parameters, so a checkpoint loads in either; only ``location`` gives its published numbers. The
    weighted mean is taken over the raw cells X_l, before the projection U_v.

    Args:
        audio_dim: channels a of the audio.
        visual_dim: channels v of the cells.
        hidden: channels of the projections U_v and U_g.
        cells: columns of M; must be h w with ``location``.
        axis: axis of the audio term, ``location`` or ``projection``.
        xavier: initialise with Xavier's uniform distribution, as the public codes do; otherwise torch's default.
    """

    def __init__(
        self,
        audio_dim: int,
        visual_dim: int,
        hidden: int = 512,
        cells: int = 49,
        axis: Axis = "location",
        *,
        xavier: bool = True,
    ) -> None:
        super().__init__()
        self.axis = axis
        self.audio = nn.Linear(audio_dim, hidden)
        self.visual = nn.Linear(visual_dim, hidden)
        self.audio_map = nn.Linear(hidden, cells, bias=False)
        self.visual_map = nn.Linear(hidden, cells, bias=False)
        self.score = nn.Linear(cells, 1, bias=False)
        if xavier:
            for layer in (self.audio, self.visual, self.audio_map, self.visual_map, self.score):
                nn.init.xavier_uniform_(layer.weight)

    def forward(self, audio: Tensor, visual: Tensor) -> Tensor:
        """(b t a), (b t h w v) -> (b t v).

        Raises:
            ValueError: with ``axis="location"``, wrong number of cells.
        """
        cells = rearrange(visual, "b t h w v -> b t (h w) v")
        weights = self.weights(audio, cells)
        return torch.einsum("btl,btlv->btv", weights, cells)

    def weights(self, audio: Tensor, cells: Tensor) -> Tensor:
        """alpha (b t l), from (b t a) and (b t l v).

        Raises:
            ValueError: with ``axis="location"``, wrong number of cells.
        """
        seen = contracted_hidden(cells, self.visual, self.visual_map.weight)
        heard = self.audio_map(F.relu(self.audio(audio)))
        if self.axis == "location":
            if cells.shape[-2] != heard.shape[-1]:
                raise ValueError(f"built for {heard.shape[-1]} cells, given {cells.shape[-2]}")
            heard = heard.unsqueeze(-1)
        else:
            heard = heard.unsqueeze(-2)
        scores: Tensor = self.score(torch.tanh(seen + heard)).squeeze(-1)
        return scores.softmax(dim=-1)
