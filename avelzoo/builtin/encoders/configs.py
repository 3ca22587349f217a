"""Options of the built-in encoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo.channels import AUDIO_SCORES, VISUAL_SCORES, Channel
from avelzoo.components import EncoderConfig, Supervision
from avelzoo.config import Bounds, Help
from avelzoo.errors import OptionError

if TYPE_CHECKING:
    from avelzoo.contracts import Encoder
    from avelzoo.records import FeatureSpec


@dataclass(frozen=True, kw_only=True)
class STFusionConfig(EncoderConfig):
    """Spatial-temporal audio-visual fusion (Ge et al. 2023, sec. 3.3).

    Every encoder row of the paper's Table 2 is an option: ``modality``, ``attention``, ``spatial_fusion``,
    ``temporal_fusion``, and the last two both off.

    >>> STFusionConfig(heads=8).width
    256
    """

    paper: ClassVar[str] = "ge2023"

    width: Annotated[int, Help("channels d of all outputs"), Bounds(min=1)] = 256
    heads: Annotated[int, Help("attention heads; must divide width"), Bounds(min=1)] = 4
    feedforward: Annotated[int, Help("hidden channels of the transformers' feed-forward layers"), Bounds(min=1)] = 1024
    layers: Annotated[int, Help("blocks in every transformer encoder and decoder"), Bounds(min=1)] = 1
    dropout: Annotated[float, Help("dropout inside the transformers and on positions"), Bounds(min=0, below=1)] = 0.1
    input_dropout: Annotated[float, Help("dropout after the input projections"), Bounds(min=0, below=1)] = 0.2
    modality: Annotated[Literal["both", "audio", "visual"], Help("modalities to encode")] = "both"
    attention: Annotated[Literal["transformer", "vanilla"], Help("transformer blocks, or plain attention layers")] = (
        "transformer"
    )
    spatial_fusion: Annotated[bool, Help("use the spatial encoder and decoder (sec. 3.3.1)")] = True
    temporal_fusion: Annotated[bool, Help("use the temporal encoders and decoder (sec. 3.3.2)")] = True
    spatial_positions: Annotated[bool, Help("sinusoidal positions on the visual grid; not in the paper")] = True
    decoder_self_attention: Annotated[bool, Help("self-attention in the decoders; the public code has none")] = False
    final_fusion: Annotated[
        Literal["two-convolutions", "one-convolution"],
        Help("final fusion (eq. 1): two convolutions (public code), or one with ReLU"),
    ] = "two-convolutions"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % self.heads:
            raise OptionError(
                "the encoder's heads do not divide its width",
                where="encoder.heads, encoder.width",
                found=f"{self.heads} heads, width {self.width}",
                fix="choose a width that is a multiple of encoder.heads",
            )

    def build(self, spec: FeatureSpec) -> Encoder:
        from avelzoo.builtin.encoders.st_fusion import STFusion

        return STFusion(self, audio_dim=spec.audio_dim, visual_dim=spec.visual_dim)


@dataclass(frozen=True, kw_only=True)
class MeanPoolConfig(EncoderConfig):
    """The floor: grid mean, one linear layer per modality, their sum. No context in space or time.

    >>> MeanPoolConfig(width=64).width
    64
    """

    width: Annotated[int, Help("channels d of all outputs"), Bounds(min=1)] = 128
    dropout: Annotated[float, Help("dropout on the outputs"), Bounds(min=0, below=1)] = 0.1
    standardize: Annotated[bool, Help("standardize each feature channel over the training segments")] = False

    def build(self, spec: FeatureSpec) -> Encoder:
        from avelzoo.builtin.encoders.mean_pool import MeanPool

        return MeanPool(
            audio_dim=spec.audio_dim,
            visual_dim=spec.visual_dim,
            width=self.width,
            dropout=self.dropout,
            standardize=self.standardize,
        )


@dataclass(frozen=True, kw_only=True)
class GivenScoresConfig(EncoderConfig):
    """Features that are scores of the categories already, such as those of the data set `named-scores`.

    Channel k of both modalities is the score of category k. There are no parameters: nothing is trained.

    >>> GivenScoresConfig().build(WorldsConfig().open("full").spec).widths
    Widths(fused=9, audio=9, visual=9)
    """

    has_parameters: ClassVar[bool] = False

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        return frozenset({AUDIO_SCORES, VISUAL_SCORES})

    def build(self, spec: FeatureSpec) -> Encoder:
        from avelzoo.builtin.encoders.given_scores import GivenScores

        return GivenScores(spec.n)
