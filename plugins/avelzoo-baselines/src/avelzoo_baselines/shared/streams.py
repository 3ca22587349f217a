"""First layers of AVEL 2018, PSP and CPSP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from torch import Tensor, nn

from avelzoo import FeatureSpec
from avelzoo.nn import AudioGuidedAttention, BidirectionalLSTM

if TYPE_CHECKING:
    from avelzoo_baselines.shared.configs import AttendedStreamsConfig


class AttendedStreams(nn.Module):
    """Audio and audio-guided visual features, each in its temporal context (Tian et al. 2018, sec. 4.1-2).

    With P_a and P_v linear maps or nothing::

        a' = P_a(a),  f_t = AudioGuidedAttention(a'_t, v_t)
        h_a = BiLSTM(a'),  h_v = BiLSTM(P_v(f))

    Args:
        config: the options.
        spec: sizes of the features.
        projections: ``none`` (AVEL 2018); ``visual``, P_v one layer to the LSTM's hidden channels (weak PSP); ``both``,
            two layers each without biases and without anything between them (PSP).
        xavier: initial weights of the attention, as in `AudioGuidedAttention`.
        attend: look at the cells with the audio's guidance; else f is their plain mean.
    """

    def __init__(
        self,
        config: AttendedStreamsConfig,
        spec: FeatureSpec,
        *,
        projections: Literal["none", "visual", "both"] = "none",
        xavier: bool = True,
        attend: bool = True,
    ) -> None:
        super().__init__()
        hidden, audio_dim, seen_dim = config.hidden, spec.audio_dim, spec.visual_dim
        self.audio_in: nn.Module | None = None
        self.visual_in: nn.Module | None = None
        if projections == "both":
            self.audio_in, self.visual_in = _two_layers(audio_dim, hidden), _two_layers(seen_dim, hidden)
            audio_dim = seen_dim = hidden
        elif projections == "visual":
            self.visual_in = nn.Linear(seen_dim, hidden)
            seen_dim = hidden
        cells = spec.grid[0] * spec.grid[1]
        self.attention: AudioGuidedAttention | None = None
        if attend:
            self.attention = AudioGuidedAttention(
                audio_dim, spec.visual_dim, config.attention_width, cells, config.attention_axis, xavier=xavier
            )
        self.audio_lstm = BidirectionalLSTM(audio_dim, hidden)
        self.visual_lstm = BidirectionalLSTM(seen_dim, hidden)

    def attend(self, audio: Tensor, visual: Tensor) -> tuple[Tensor, Tensor]:
        """a' (b t p) and f (b t v), from (b t a) and (b t h w v)."""
        if self.audio_in is not None:
            audio = self.audio_in(audio)
        return audio, visual.mean(dim=(2, 3)) if self.attention is None else self.attention(audio, visual)

    def forward(self, audio: Tensor, visual: Tensor) -> tuple[Tensor, Tensor]:
        """(b t a), (b t h w v) -> h_a, h_v, both (b t 2*hidden)."""
        audio, seen = self.attend(audio, visual)
        if self.visual_in is not None:
            seen = self.visual_in(seen)
        return self.audio_lstm(audio), self.visual_lstm(seen)


def _two_layers(channels: int, hidden: int) -> nn.Sequential:
    """W2 W1 x: (... channels) -> (... hidden) by way of twice as many."""
    return nn.Sequential(nn.Linear(channels, 2 * hidden, bias=False), nn.Linear(2 * hidden, hidden, bias=False))
