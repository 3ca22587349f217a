"""Spatial-temporal audio-visual fusion encoder of Ge et al. 2023 (sec. 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from einops import rearrange
from torch import Tensor, nn

from avelzoo.contracts import Encoder
from avelzoo.nn import AddSinusoids, CrossBlock, Dropout, SelfBlock, VanillaAttention, projection
from avelzoo.nn.cpu.pieces import Layer, in_pieces, layers_of
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
        grid = self._see(visual)
        seen = grid.mean(dim=2) if grid is not None else None
        spatial = self._ask_image(heard, grid, seen)
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

    def _see(self, visual: Tensor) -> Tensor | None:
        """Encode the grid: (b t h w v) -> Vs (b t hw d)."""
        if self.visual_in is None:
            return None
        videos = visual.shape[0]
        modules: list[nn.Module] = [self.visual_in]
        if self.spatial_encoder is not None:
            modules += [self.positions, self.position_dropout] if self.positions is not None else []
            modules.append(self.spatial_encoder)
        cells = in_pieces(modules, rearrange(visual, "b t h w v -> (b t) (h w) v"))
        return rearrange(cells, "(b t) s d -> b t s d", b=videos)

    def _ask_image(self, heard: Tensor | None, grid: Tensor | None, seen: Tensor | None) -> Tensor:
        """f_s (b t d): each segment's audio is the only query over its cells; with one modality, its features."""
        if self.spatial_decoder is not None and heard is not None and grid is not None:
            asked: Tensor = self.spatial_decoder(
                rearrange(heard, "b t d -> (b t) 1 d"), rearrange(grid, "b t s d -> (b t) s d")
            )
            return rearrange(asked, "(b t) 1 d -> b t d", b=heard.shape[0])
        present = seen if seen is not None else heard
        assert present is not None
        return present


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
