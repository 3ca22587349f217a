"""AVSDN's encoder: the sequence-to-sequence network up to its outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from avelzoo import Encoded, Encoder, FeatureSpec, Widths
from avelzoo.nn import AudioGuidedAttention, ResidualFusion

if TYPE_CHECKING:
    from avelzoo_baselines.avsdn.configs import AvsdnConfig


class Avsdn(Encoder):
    """Two LSTMs read, a third one answers (Lin et al. 2019; unofficial code in jasongief/CPSP).

    ::

        f_t = AudioGuidedAttention(a_t, V_t)
        x^A, (h_A, c_A) = LSTM(a),  x^V, (h_V, c_V) = LSTM(f)
        h = DMRN(h_A, h_V),  c = DMRN'(c_A, c_V)             of each direction by itself
        F = LSTM([a; f]) begun from (h, c)

    The uni-modal outputs are x^A and x^V.

    Args:
        config: the options.
        spec: sizes of the features.
    """

    def __init__(self, config: AvsdnConfig, spec: FeatureSpec) -> None:
        super().__init__()
        both = config.directions == "both"
        hidden, a, v = config.hidden, spec.audio_dim, spec.visual_dim
        d = 2 * hidden if both else hidden
        self.widths = Widths(fused=d, audio=d, visual=d)
        self.relu = config.relu
        self.attention: AudioGuidedAttention | None = None
        if config.spatial == "attention":
            cells = spec.grid[0] * spec.grid[1]
            self.attention = AudioGuidedAttention(a, v, config.attention_width, cells, config.attention_axis)
        self.audio_lstm = nn.LSTM(a, hidden, batch_first=True, bidirectional=both)
        self.visual_lstm = nn.LSTM(v, hidden, batch_first=True, bidirectional=both)
        self.hidden_fusion = ResidualFusion(hidden)
        self.cell_fusion = self.hidden_fusion if config.shared_fusion else ResidualFusion(hidden)
        self.decoder = nn.LSTM(a + v, hidden, batch_first=True, bidirectional=both)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, all (b t hidden), or (b t 2*hidden) in both directions."""
        seen = visual.mean(dim=(2, 3)) if self.attention is None else self.attention(audio, visual)
        audio_steps, audio_state = self.audio_lstm(audio)
        visual_steps, visual_state = self.visual_lstm(seen)
        state = self.initial(audio_state, visual_state)
        fused, _ = self.decoder(torch.cat([audio, seen], dim=-1), state)
        return Encoded(fused=fused.relu() if self.relu else fused, audio=audio_steps, visual=visual_steps)

    def initial(self, audio_state: tuple[Tensor, Tensor], visual_state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """The decoder's first hidden and cell state, each (directions b hidden), from the encoders' last ones."""
        (heard_h, heard_c), (seen_h, seen_c) = audio_state, visual_state
        if self.relu:
            heard_h, heard_c, seen_h, seen_c = heard_h.relu(), heard_c.relu(), seen_h.relu(), seen_c.relu()
        return self.hidden_fusion(heard_h, seen_h), self.cell_fusion(heard_c, seen_c)
