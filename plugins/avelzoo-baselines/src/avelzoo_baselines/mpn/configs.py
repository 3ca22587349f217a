"""Options, recipe and citation of MPN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo import (
    Bounds,
    Channel,
    GeneralConfig,
    HeadConfig,
    Help,
    Need,
    NoMemoryConfig,
    Paper,
    Published,
    Recipe,
    Supervision,
    WorldsConfig,
)
from avelzoo.channels import EVENT_LOGITS, RELEVANCE_LOGITS
from avelzoo_baselines.channels import CLASSIFICATION_PATH, GATED_VIDEO, LOCALIZATION_PATH
from avelzoo_baselines.shared.statements import GENERAL_WEAK, where_weak
from avelzoo_baselines.shared.transformer_configs import AttendedTransformerConfig, Count
from avelzoo_baselines.shared.transformer_recipe import transformer_training

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec, Head, Widths

PAPER = Paper(
    key="mpn2021",
    authors="J. Yu, Y. Cheng, R. Feng",
    title="MPN: Multimodal Parallel Network for Audio-Visual Event Localization",
    venue="ICME",
    year=2021,
    doi="10.48550/arXiv.2104.02971",
)


@dataclass(frozen=True, kw_only=True)
class MpnConfig(AttendedTransformerConfig):
    """Two parallel subnetworks: co-attention over the video, and a gating bottleneck per segment."""

    paper: ClassVar[str] = "mpn2021"
    fidelity: ClassVar[str] = "approximate"
    assumptions: ClassVar[tuple[str, ...]] = (
        "Only the abstract was available: it names the two subnetworks and their modules; every layer is ours.",
        "Co-attention is self-attention, then cross-attention; all four calls share one layer.",
        "The bottleneck is a gate in the sense of BAM, over both modalities' channels.",
        "The input is the audio-guided attention and projections of this library's other transformers.",
        "The bottleneck uses LayerNorm instead of BAM's batch norm, which would make videos depend on each other.",
        "General heads get [f_t; v_t; a_t] of both subnetworks, which the paper keeps separate.",
    )

    layers: Annotated[int, Help("co-attention modules"), Count] = 2
    attention_dropout: Annotated[float, Help("dropout on attention weights"), Bounds(min=0, below=1)] = 0.2
    reduction: Annotated[int, Help("reduction of the bottleneck, which has 2 d / reduction channels"), Count] = 16
    pooling: Annotated[Literal["max", "mean"], Help("pooling over segments for the video's vector")] = "max"

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Outputs of the two subnetworks."""
        return frozenset({LOCALIZATION_PATH, CLASSIFICATION_PATH})

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.mpn.model import Mpn

        cells = spec.grid[0] * spec.grid[1]
        return Mpn(self, audio_dim=spec.audio_dim, visual_dim=spec.visual_dim, cells=cells)


@dataclass(frozen=True, kw_only=True)
class ParallelConfig(HeadConfig):
    """Category from one subnetwork, segment relevance from the other."""

    paper: ClassVar[str] = "mpn2021"
    fidelity: ClassVar[str] = "approximate"
    assumptions: ClassVar[tuple[str, ...]] = (
        "Weak supervision with `--objective video`: the gated double branch of CMRAN.",
    )

    background: Annotated[
        bool,
        Help("weak: background class of the video; needs an objective on video probabilities"),
    ] = False

    def reads(self, supervision: Supervision) -> frozenset[Need]:
        """The outputs of two subnetworks."""
        return frozenset({LOCALIZATION_PATH, CLASSIFICATION_PATH})

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Category and relevance; under weak supervision, also the video's gated probabilities."""
        return frozenset({EVENT_LOGITS, RELEVANCE_LOGITS, *(GATED_VIDEO if supervision == "weak" else ())})

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        """The head."""
        from avelzoo_baselines.mpn.head import Parallel

        weak = supervision == "weak"
        background = weak and self.background
        return Parallel(n=spec.n, local=widths.audio, video=2 * widths.audio, weak=weak, background=background)


def mpn(supervision: Supervision) -> Recipe:
    """MPN with its two branches."""
    full = supervision == "full"
    return Recipe(
        name="mpn",
        summary="Yu et al. 2021: two parallel subnetworks, reconstructed from the abstract",
        paper="mpn2021",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=MpnConfig(dropout=0.2),
        memory=NoMemoryConfig(),
        head=ParallelConfig(),
        objective=GeneralConfig(event=0.5, relevance=0.5) if full else GeneralConfig(),
        **transformer_training(supervision),
        assumptions=where_weak(supervision, GENERAL_WEAK),
        published=(
            Published("full", "VGG-19 + VGGish", 0.776, "Ge et al. 2023, Table 1"),
            Published("weak", "VGG-19 + VGGish", 0.720, "Ge et al. 2023, Table 1, one column off"),
        ),
    )
