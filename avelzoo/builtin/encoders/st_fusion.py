"""Spatial-temporal audio-visual fusion encoder of Ge et al. 2023 (sec. 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from einops import rearrange
from torch import Tensor, nn

from avelzoo.contracts import Encoder
from avelzoo.nn import AddSinusoids, CrossBlock, Dropout, SelfBlock, VanillaAttention, projection
from avelzoo.nn.cpu.pieces.chain import chain_of, in_pieces, layers_of, run_pooled
from avelzoo.nn.cpu.pieces.layers import Layer
from avelzoo.records import Encoded, Widths

if TYPE_CHECKING:
    from avelzoo.builtin.encoders.configs import STFusionConfig


class STFusion(Encoder):
    """Spatial fusion per segment, temporal fusion over segments, then final fusion of both (eq. 1).

    With A0, V0 the projected inputs and P the spatial positions::

        Vs  = SpatialEncoder(V0 + P)                 over the h w cells of a segment
        f_s = SpatialDecoder(A0_t, Vs_t)             audio attends to the image
        At  = AudioEncoder(A0)                       over t
        Vt  = VisualEncoder(mean_hw Vs)              over t
        f_t = TemporalDecoder(At, Vt)                over t
        F   = LN(Conv3(LeakyReLU(Conv3([f_s; f_t]))))

    Only the convolutions depend on the order of segments. After the final norm, every row of F has a norm near
    sqrt(d).

    Ablations (Table 2); the paper does not specify the details:
      * one modality: no layers for the other one; the fusions return the features of the modality in use, and so do
        both uni-modal outputs;
      * no spatial fusion: no spatial encoder and decoder; Vs is replaced by V0, and eq. 1 has no f_s;
      * no temporal fusion: no temporal encoders and decoder; At = A0, Vt = mean_hw Vs, and eq. 1 has no f_t;
      * neither: F from [A0; mean_hw V0].

    Args:
        config: options.
        audio_dim: a.
        visual_dim: v.
    """

    def __init__(self, config: STFusionConfig, *, audio_dim: int, visual_dim: int) -> None:
        super().__init__()
        d = config.width
        hears, sees = config.modality != "visual", config.modality != "audio"
        both = hears and sees
        spatial, temporal = config.spatial_fusion, config.temporal_fusion
        self.widths = Widths(fused=d, audio=d, visual=d)
        self.positions = AddSinusoids() if config.spatial_positions else None
        self.audio_in = projection(audio_dim, d, config.input_dropout) if hears else None
        self.visual_in = projection(visual_dim, d, config.input_dropout) if sees else None
        self.position_dropout = Dropout(config.dropout)
        self.spatial_encoder = _encoder(config) if sees and spatial else None
        self.spatial_decoder = _decoder(config) if both and spatial else None
        self.audio_encoder = _encoder(config) if hears and temporal else None
        self.visual_encoder = _encoder(config) if sees and temporal else None
        self.temporal_decoder = _decoder(config) if both and temporal else None
        self.keep_spatial, self.keep_temporal = spatial, temporal
        streams = 2 if spatial == temporal and (both or spatial) else 1
        self.fusion = FinalFusion(streams * d, d, convolutions=2 if config.final_fusion == "two-convolutions" else 1)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, all (b t d)."""
        heard = self.audio_in(audio) if self.audio_in is not None else None
        seen, spatial = self._see(visual, heard)
        heard = self.audio_encoder(heard) if self.audio_encoder is not None else heard
        seen = self.visual_encoder(seen) if self.visual_encoder is not None else seen
        one = heard if heard is not None else seen
        other = seen if seen is not None else heard
        assert one is not None and other is not None
        temporal = self.temporal_decoder(one, other) if self.temporal_decoder is not None else other
        if self.keep_spatial and self.keep_temporal:
            streams = [spatial, temporal]
        elif self.keep_spatial or self.keep_temporal:
            streams = [spatial if self.keep_spatial else temporal]
        else:
            streams = [one] if one is other else [one, other]
        return Encoded(fused=self.fusion(streams), audio=one, visual=other)

    def _see(self, visual: Tensor, heard: Tensor | None) -> tuple[Tensor | None, Tensor]:
        """Mean of Vs over the cells, and f_s, both (b t d); with one modality, f_s is that modality's features."""
        if self.visual_in is None:
            assert heard is not None
            return None, heard
        videos = visual.shape[0]
        cells = rearrange(visual, "b t h w v -> (b t) (h w) v")
        modules: list[nn.Module] = [self.visual_in]
        if self.spatial_encoder is not None:
            modules += [self.positions, self.position_dropout] if self.positions is not None else []
            modules.append(self.spatial_encoder)
        if heard is None or self.spatial_decoder is None:
            seen = rearrange(in_pieces(modules, cells).mean(dim=1), "(b t) d -> b t d", b=videos)
            return seen, seen
        seen, spatial = self._ask(modules, cells, rearrange(heard, "b t d -> (b t) 1 d"), self.spatial_decoder)
        return rearrange(seen, "(b t) d -> b t d", b=videos), rearrange(spatial, "(b t) 1 d -> b t d", b=videos)

    @staticmethod
    def _ask(modules: list[nn.Module], cells: Tensor, query: Tensor, decoder: Chain) -> tuple[Tensor, Tensor]:
        """Encode the cells (m s v), and let each segment's audio (m 1 d) attend to them: mean (m d), f_s (m 1 d).

        On a CPU, a decoder of one layer reads the cells while they are in the caches.
        """
        block, layers = decoder.blocks[0], chain_of(modules, cells)
        if layers and len(decoder.blocks) == 1 and isinstance(block, CrossBlock) and block.asks_once:
            attention = block.attention
            p = attention.dropout if attention.training else 0.0
            seen, found, sums = run_pooled(layers, cells, attention.in_memory_space(query), p)
            return seen, block.finish(query, attention.from_memory_space(found, sums))
        cells = in_pieces(modules, cells)
        return cells.mean(dim=1), decoder(query, cells)


class FinalFusion(nn.Module):
    """Final fusion (eq. 1): convolutions over three segments of the concatenated streams, then LayerNorm.

    Args:
        channels: channels of the concatenation.
        width: d.
        convolutions: 2 (public code, with LeakyReLU between) or 1 (paper, with ReLU after).
    """

    def __init__(self, channels: int, width: int, *, convolutions: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv1d(channels, width, 3, padding=1)]
        layers += [nn.LeakyReLU(), nn.Conv1d(width, width, 3, padding=1)] if convolutions == 2 else [nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(width)

    def forward(self, streams: list[Tensor]) -> Tensor:
        """k times (b t d) -> (b t d)."""
        mixed = self.layers(rearrange(torch.cat(streams, dim=-1), "b t c -> b c t"))
        out: Tensor = self.norm(rearrange(mixed, "b d t -> b t d"))
        return out


class Chain(nn.Module):
    """Sequence of blocks; each receives the same memory, if any.

    Args:
        blocks: modules that map (query) or (query, memory) to the query's shape.
    """

    def __init__(self, blocks: list[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, query: Tensor, *memory: Tensor) -> Tensor:
        """(b q d), optionally (b k d) -> (b q d)."""
        for block in self.blocks:
            query = block(query, *memory)
        return query

    def piece_layers(self, length: int) -> list[Layer] | None:
        """The blocks in a chain of `avelzoo.nn.cpu.pieces`."""
        return layers_of(self.blocks, length)


def _encoder(config: STFusionConfig) -> Chain:
    if config.attention == "vanilla":
        return Chain([VanillaAttention(config.width, config.dropout) for _ in range(config.layers)])
    sizes = (config.width, config.heads, config.feedforward, config.dropout)
    return Chain([SelfBlock(*sizes) for _ in range(config.layers)])


def _decoder(config: STFusionConfig) -> Chain:
    if config.attention == "vanilla":
        return Chain([VanillaAttention(config.width, config.dropout) for _ in range(config.layers)])
    sizes = (config.width, config.heads, config.feedforward, config.dropout)
    ask_each_other = config.decoder_self_attention
    return Chain([CrossBlock(*sizes, self_attention=ask_each_other) for _ in range(config.layers)])
