"""What follows the attention in CMBS: two streams that ask, gate and join each other."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from torch import Tensor, nn

from avelzoo import Encoded
from avelzoo.nn import AudioVideoInter, RelationDecoder, RelationEncoder
from avelzoo_baselines.channels import AUDIO_GATE, AUDIO_STREAM, VISUAL_GATE, VISUAL_STREAM

if TYPE_CHECKING:
    from avelzoo_baselines.cmbs.configs import GatedStreamsConfig


class GatedStreams(nn.Module):
    """Relation layers, time-level background suppression and interaction (Xia and Zhao 2022).

    With a the audio and f the attended visual sequence, q_a and q_v their bidirectional LSTMs or they themselves::

        K_a = RelationEncoder(q_a),  K_v = RelationEncoder(q_v)
        o_a = RelationDecoder(q_a; K_v),  o_v = RelationDecoder(q_v; K_a)
        g_a = sigmoid(W_a K_a + b_a),  g_v = sigmoid(W_v K_v + b_v)
        o_v <- gated by g_a,  o_a <- gated by g_v         (``gate_source`` other; own: the other way round)
        x_1 = AudioVideoInter(o_v, o_a),  x_2 = AudioVideoInter(o_a, x_1)
        F   = (x_1 + x_2) / 2

    A gate enters as o (1 + alpha g), or as (1 - alpha) o + alpha g o. Channels: audio_gate and visual_gate (b t), named
    after the stream they are read from, and the gated audio_stream and visual_stream (b t d).

    Args:
        config: the options.
        audio_dim: channels of the audio sequence.
        visual_dim: channels of the attended visual sequence.
    """

    def __init__(self, config: GatedStreamsConfig, *, audio_dim: int, visual_dim: int) -> None:
        super().__init__()
        d = config.width
        self.alpha, self.mix, self.own = config.gate_weight, config.gate_form == "mix", config.gate_source == "own"
        self.audio_lstm: nn.LSTM | None = None
        self.visual_lstm: nn.LSTM | None = None
        if config.recurrent:
            self.audio_lstm = nn.LSTM(audio_dim, config.audio_hidden, batch_first=True, bidirectional=True)
            self.visual_lstm = nn.LSTM(visual_dim, config.visual_hidden, batch_first=True, bidirectional=True)
            audio_dim, visual_dim = 2 * config.audio_hidden, 2 * config.visual_hidden
        encode = partial(
            RelationEncoder,
            width=d,
            heads=config.heads,
            feedforward=config.encoder_feedforward,
            layers=config.layers,
            dropout=config.dropout,
            equal_layers=config.equal_layers,
        )
        decode = partial(
            RelationDecoder,
            width=d,
            heads=config.heads,
            feedforward=config.decoder_feedforward,
            dropout=config.dropout,
        )
        join = partial(
            AudioVideoInter,
            width=d,
            heads=config.fusion_heads,
            attention_dropout=config.fusion_dropout,
            dropout=config.dropout,
        )
        self.audio_encoder, self.visual_encoder = encode(channels=audio_dim), encode(channels=visual_dim)
        self.audio_decoder, self.visual_decoder = decode(channels=audio_dim), decode(channels=visual_dim)
        self.audio_gate, self.visual_gate = nn.Linear(d, 1), nn.Linear(d, 1)
        self.first_join, self.second_join = join(), join()

    def forward(self, audio: Tensor, seen: Tensor) -> Encoded:
        """(b t a), (b t v) -> Encoded, all (b t d), with gates and gated streams."""
        if self.audio_lstm is not None and self.visual_lstm is not None:
            audio, seen = self.audio_lstm(audio)[0], self.visual_lstm(seen)[0]
        audio_context, visual_context = self.audio_encoder(audio), self.visual_encoder(seen)
        audio_gate = self.audio_gate(audio_context).sigmoid()
        visual_gate = self.visual_gate(visual_context).sigmoid()
        for_visual, for_audio = (visual_gate, audio_gate) if self.own else (audio_gate, visual_gate)
        audio_stream = self._suppress(self.audio_decoder(audio, visual_context), for_audio)
        visual_stream = self._suppress(self.visual_decoder(seen, audio_context), for_visual)
        first = self.first_join(visual_stream, audio_stream)
        second = self.second_join(audio_stream, first)
        channels = {
            AUDIO_GATE: audio_gate.squeeze(-1),
            VISUAL_GATE: visual_gate.squeeze(-1),
            AUDIO_STREAM: audio_stream,
            VISUAL_STREAM: visual_stream,
        }
        return Encoded(fused=(first + second) / 2, audio=audio_context, visual=visual_context, channels=channels)

    def _suppress(self, stream: Tensor, gate: Tensor) -> Tensor:
        """(b t d), (b t 1) -> (b t d)."""
        if self.mix:
            return (1 - self.alpha) * stream + self.alpha * gate * stream
        return stream * (1 + self.alpha * gate)
