"""CMAN's sentinel: the knowledge of a modality, and the weight of the other one."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SentinelLSTM(nn.Module):
    """An LSTM forward in time with one gate more: s_t = sigmoid(W_x x_t + W_h h_(t-1)) * tanh(c_t), c the cell state.

    Equations of the visual sentinel (Lu et al. 2017), here for either modality.

    Args:
        channels: channels of x.
        hidden: channels d.
        sentinel: whether there is one.
    """

    def __init__(self, channels: int, hidden: int, *, sentinel: bool = True) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(channels, hidden)
        self.from_input = nn.Linear(channels, hidden) if sentinel else None
        self.from_hidden = nn.Linear(hidden, hidden, bias=False) if sentinel else None

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """(b t c) -> hidden states h and sentinels s, both (b t d)."""
        hidden = cell = x.new_zeros(x.shape[0], self.cell.hidden_size)
        before, hiddens, cells = [], [], []
        for step in x.unbind(dim=1):
            before.append(hidden)
            hidden, cell = self.cell(step, (hidden, cell))
            hiddens.append(hidden)
            cells.append(cell)
        out = torch.stack(hiddens, dim=1)
        if self.from_input is None or self.from_hidden is None:
            return out, None
        gate = torch.sigmoid(self.from_input(x) + self.from_hidden(torch.stack(before, dim=1)))
        return out, gate * torch.tanh(torch.stack(cells, dim=1))


class CoAttention(nn.Module):
    """Attention to the other modality or to a segment's own sentinel (adaptive co-attention).

    With o_i = P y_i the other modality's segments and g_t = W_g h_t::

        z_ti = w . tanh(W_a o_i + g_t),  alpha_t = softmax_i(z_ti),  c_t = sum_i alpha_ti o_i
        beta_t = last entry of softmax([z_t1 ... z_tt; w . tanh(W_s s_t + g_t)])
        x_t = beta_t s_t + (1 - beta_t) c_t

    Without a sentinel, x_t = c_t.

    Args:
        width: channels d of h, s and x.
        channels: channels of the other modality.
        sentinel: whether there is one.
    """

    def __init__(self, width: int, channels: int, *, sentinel: bool = True) -> None:
        super().__init__()
        self.other = nn.Linear(channels, width)
        self.from_other = nn.Linear(width, width, bias=False)
        self.from_hidden = nn.Linear(width, width)
        self.from_sentinel = nn.Linear(width, width, bias=False) if sentinel else None
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, hidden: Tensor, sentinel: Tensor | None, other: Tensor) -> tuple[Tensor, Tensor | None]:
        """(b t d), (b t d), (b t c) -> x (b t d), beta (b t)."""
        items = self.other(other)
        asked = self.from_hidden(hidden)
        z = self.score(torch.tanh(self.from_other(items).unsqueeze(1) + asked.unsqueeze(2))).squeeze(-1)
        found = z.softmax(dim=-1) @ items
        if sentinel is None or self.from_sentinel is None:
            return found, None
        own = self.score(torch.tanh(self.from_sentinel(sentinel) + asked))
        beta = torch.cat([z, own], dim=-1).softmax(dim=-1)[..., -1:]
        return beta * sentinel + (1 - beta) * found, beta.squeeze(-1)
