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
    """DMRN: A+V-att with the dual multimodal residual network in place of the concatenation (Tian et al. 2018)."""

    paper: ClassVar[str] = "avel2018"
    fidelity: ClassVar[str] = "parity"

    blocks: Annotated[int, Help("residual updates, with shared weights"), Bounds(min=1)] = 1
    swap: Annotated[
        bool, Help("every update exchanges the modalities, as in the public code; shows from two blocks on")
    ] = False
    attention_init: Annotated[
        Literal["xavier", "default"], Help("initial weights of the attention: as in A+V-att, or torch's (public code)")
    ] = "xavier"

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.avel2018.model import Avel2018Dmrn

        return Avel2018Dmrn(self, spec)


@dataclass(frozen=True, kw_only=True)
class SegmentConfig(GeneralTerms):
    """Fully supervised objective of AVEL 2018: the segments' classes by cross-entropy, or as its public code does."""

    paper: ClassVar[str] = "avel2018"
    supervisions: ClassVar[tuple[Supervision, ...]] = ("full",)
    fidelity: ClassVar[str] = "parity"

    segment_loss: Annotated[
        Literal["cross-entropy", "soft-margin"],
        Help("of the segments' logits, or a soft margin on their probabilities (public code: squashed twice)"),
    ] = "cross-entropy"

    def terms(self, supervision: Supervision) -> tuple[Term, ...]:
        """The general ones; this objective is made for the segments'."""
        *others, segment = self.general_terms(supervision)
        build = self._soft_margin if self.segment_loss == "soft-margin" else segment.build
        return (*others, replace(segment, build=build, options=("segment", "segment_loss"), own=True))

    def _soft_margin(self, spec: FeatureSpec) -> LossFunction:
        from avelzoo_baselines.avel2018.objective import soft_margin_of_segments

        return soft_margin_of_segments
