"""Options, recipe and citation of AVE-CLIP's architecture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from avelzoo import (
    Bounds,
    Channel,
    GeneralTerms,
    HeadConfig,
    Help,
    NoMemoryConfig,
    ObjectiveConfig,
    Paper,
    Recipe,
    Supervision,
    Term,
    WorldsConfig,
)
from avelzoo.channels import SEGMENT_LOGITS
from avelzoo_baselines.channels import EVENT_GATE, VIDEO_PROBABILITIES
from avelzoo_baselines.shared.statements import CATEGORICAL, where_weak
from avelzoo_baselines.shared.transformer_configs import AttendedTransformerConfig, Count
from avelzoo_baselines.shared.transformer_recipe import single_objective, transformer_training

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec, Head, LossFunction, Widths

PAPER = Paper(
    key="aveclip2023",
    authors="T. Mahmud, D. Marculescu",
    title="AVE-CLIP: AudioCLIP-based Multi-window Temporal Transformer for Audio Visual Event Localization",
    venue="WACV",
    year=2023,
    doi="10.48550/arXiv.2210.05060",
)


@dataclass(frozen=True, kw_only=True)
class AveClipConfig(AttendedTransformerConfig):
    """Temporal and channel attention within windows of several lengths, refined by the estimated event probability.

    The published score uses AudioCLIP features fine-tuned on AVE; other features share only the architecture.
    """

    paper: ClassVar[str] = "aveclip2023"
    fidelity: ClassVar[str] = "approximate"
    assumptions: ClassVar[tuple[str, ...]] = (
        "Features are those of the data set, not AudioCLIP's; the published accuracy cannot be reproduced with them.",
        "Window lengths 2, 5 and 10, and every layer inside a window.",
        "Attention over channels is a gate computed from the window's mean.",
        "Refinement: attention over time whose keys are weighted by the event probability.",
    )

    windows: Annotated[tuple[int, ...], Help("window lengths in segments"), Count] = (2, 5, 10)

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Event/background logits that guide the refinement."""
        return frozenset({EVENT_GATE})

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.ave_clip.model import AveClip

        cells = spec.grid[0] * spec.grid[1]
        return AveClip(self, audio_dim=spec.audio_dim, visual_dim=spec.visual_dim, cells=cells)


@dataclass(frozen=True, kw_only=True)
class SmoothedSingleConfig(HeadConfig):
    """Single branch with smoothed predictions: a segment between two equal predictions takes their prediction."""

    paper: ClassVar[str] = "aveclip2023"
    fidelity: ClassVar[str] = "approximate"
    assumptions: ClassVar[tuple[str, ...]] = (
        "The filter spans three segments.",
        "Weak supervision is not published; here a video's logits are the mean of its segment logits.",
    )

    dropout: Annotated[float, Help("dropout on the features"), Bounds(min=0, below=1)] = 0.0
    smooth: Annotated[bool, Help("apply the temporal filter; off = a plain single branch")] = True

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Segment logits; under weak supervision, also the video's probabilities over n+1 classes."""
        return frozenset({SEGMENT_LOGITS, *((VIDEO_PROBABILITIES,) if supervision == "weak" else ())})

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        """The head."""
        from avelzoo_baselines.ave_clip.head import SmoothedSingle

        return SmoothedSingle(
            n=spec.n, width=widths.fused, dropout=self.dropout, smooth=self.smooth, pooled=supervision == "weak"
        )


@dataclass(frozen=True, kw_only=True)
class EventGateConfig(GeneralTerms):
    """The general full objective, and binary cross-entropy of the gate that guides AVE-CLIP's refinement."""

    paper: ClassVar[str] = "aveclip2023"
    supervisions: ClassVar[tuple[Supervision, ...]] = ("full",)
    fidelity: ClassVar[str] = "approximate"
    assumptions: ClassVar[tuple[str, ...]] = ("The weight of the gate's loss.",)

    gate: Annotated[float, Help("weight of the gate loss"), Bounds(min=0)] = 0.5

    def terms(self, supervision: Supervision) -> tuple[Term, ...]:
        """The general terms and the gate term."""
        gate = Term("gate", self.gate, (EVENT_GATE,), self._gate, ("gate",), own=True)
        return (*self.general_terms(supervision), gate)

    def _gate(self, spec: FeatureSpec) -> LossFunction:
        from avelzoo_baselines.ave_clip.objective import gate_loss

        return gate_loss


def ave_clip(supervision: Supervision) -> Recipe:
    """AVE-CLIP's architecture on the data set's features; its weak variant is ours."""
    full = supervision == "full"
    objective: ObjectiveConfig = EventGateConfig() if full else single_objective(supervision)
    return Recipe(
        name="ave-clip",
        summary="Mahmud and Marculescu 2023: architecture without AudioCLIP's features; the weak variant is ours",
        paper="aveclip2023",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=AveClipConfig(),
        memory=NoMemoryConfig(),
        head=SmoothedSingleConfig(),
        objective=objective,
        **transformer_training(supervision),
        assumptions=where_weak(supervision, CATEGORICAL),
    )
