"""Options of AVEL 2018; avelzoo itself cites the paper, for its data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo import Bounds, GeneralTerms, Help, Supervision, Term
from avelzoo_baselines.shared.configs import AttendedStreamsConfig

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec, LossFunction


@dataclass(frozen=True, kw_only=True)
class Avel2018Config(AttendedStreamsConfig):
    """A+V-att: audio-guided visual attention, a bidirectional LSTM per modality, concatenation (Tian et al. 2018)."""

    paper: ClassVar[str] = "avel2018"
    fidelity: ClassVar[str] = "parity"

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.avel2018.model import Avel2018

        return Avel2018(self, spec)


@dataclass(frozen=True, kw_only=True)
class Avel2018DmrnConfig(AttendedStreamsConfig):
    """DMRN: A+V-att with the dual multimodal residual network instead of concatenation (Tian et al. 2018)."""

    paper: ClassVar[str] = "avel2018"
    fidelity: ClassVar[str] = "parity"

    blocks: Annotated[int, Help("number of residual updates with shared weights"), Bounds(min=1)] = 1
    swap: Annotated[bool, Help("swap the modalities in every update (public code); no effect with one block")] = False
    attention_init: Annotated[
        Literal["xavier", "default"],
        Help("initial weights of the attention: Xavier (A+V-att), or torch's default (public code)"),
    ] = "xavier"

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.avel2018.model import Avel2018Dmrn

        return Avel2018Dmrn(self, spec)


@dataclass(frozen=True, kw_only=True)
class SegmentConfig(GeneralTerms):
    """Fully supervised objective of AVEL 2018: cross-entropy of segment classes, or the public code's loss."""

    paper: ClassVar[str] = "avel2018"
    supervisions: ClassVar[tuple[Supervision, ...]] = ("full",)
    fidelity: ClassVar[str] = "parity"

    segment_loss: Annotated[
        Literal["cross-entropy", "soft-margin"],
        Help("loss: cross-entropy of logits, or soft margin on probabilities (public code)"),
    ] = "cross-entropy"

    def terms(self, supervision: Supervision) -> tuple[Term, ...]:
        """The general terms; the segment term is required."""
        *others, segment = self.general_terms(supervision)
        build = self._soft_margin if self.segment_loss == "soft-margin" else segment.build
        return (*others, replace(segment, build=build, options=("segment", "segment_loss"), own=True))

    def _soft_margin(self, spec: FeatureSpec) -> LossFunction:
        from avelzoo_baselines.avel2018.objective import soft_margin_of_segments

        return soft_margin_of_segments
