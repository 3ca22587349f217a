"""Options and citation of PSP."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo import Bounds, Channel, GeneralTerms, Help, Paper, SamplerConfig, Supervision, Term
from avelzoo_baselines.channels import PAIR_SIMILARITY, PROPAGATED
from avelzoo_baselines.shared.configs import AttendedStreamsConfig

if TYPE_CHECKING:
    import numpy as np

    from avelzoo import Encoder, FeatureSpec, LossFunction

PAPER = Paper(
    key="psp2021",
    authors="J. Zhou, L. Zheng, Y. Zhong, S. Hao, M. Wang",
    title="Positive Sample Propagation along the Audio-Visual Event Line",
    venue="CVPR",
    year=2021,
    doi="10.48550/arXiv.2104.00239",
    code="jasongief/PSP_CVPR_2021",
)


@dataclass(frozen=True, kw_only=True)
class PropagationConfig(AttendedStreamsConfig):
    """What the encoders with positive sample propagation share; the defaults are PSP's under full supervision."""

    projections: Annotated[
        Literal["both", "visual"],
        Help("linear maps before the LSTMs: two layers for both modalities, or one for the visual alone (weak PSP)"),
    ] = "both"
    threshold: Annotated[
        float,
        Help("tau: share of a row below which a pair is pruned; made for 1 / tau segments"),
        Bounds(min=0, below=1),
    ] = 0.099
    renormalize: Annotated[bool, Help("rows sum to 1 again after pruning (not in weak PSP)")] = True
    output_layers: Annotated[bool, Help("a layer per modality after the propagation (not in weak PSP)")] = True
    dropout: Annotated[float, Help("dropout in the propagation"), Bounds(min=0, below=1)] = 0.1

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Pair similarities and the propagated features."""
        return frozenset({PAIR_SIMILARITY, PROPAGATED})

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.psp.model import Psp

        return Psp(self, spec)


@dataclass(frozen=True, kw_only=True)
class PspConfig(PropagationConfig):
    """Audio-guided attention, LSTMs, and pairs of segments that fit propagate to each other (Zhou et al. 2021)."""

    paper: ClassVar[str] = "psp2021"
    fidelity: ClassVar[str] = "parity"


@dataclass(frozen=True, kw_only=True)
class PairTerms(GeneralTerms, ABC):
    """The general terms and PSP's, for the objectives of PSP and CPSP."""

    pair: Annotated[float, Help("weight of the pair similarity, for encoders that give it"), Bounds(min=0)] = 100.0
    pair_targets: Annotated[
        Literal["fresh", "stale"],
        Help("targets of the batch, or a buffer whose background keeps earlier batches' values (public code)"),
    ] = "fresh"
    stale_slots: Annotated[int, Help("places of that buffer: the batch size"), Bounds(min=1)] = 128

    def pair_terms(self) -> tuple[Term, ...]:
        """The general full ones, and the similarity of audio-visual pairs."""
        options = ("pair", "pair_targets", "stale_slots")
        pair = Term("pair", self.pair, (PAIR_SIMILARITY,), self._pair, options, own=True)
        return (*self.general_terms("full"), pair)

    def _pair(self, spec: FeatureSpec) -> LossFunction:
        from avelzoo_baselines.psp.objective import PairLoss

        slots = self.stale_slots if self.pair_targets == "stale" else 0
        return PairLoss(slots=slots, segments=spec.segments)


@dataclass(frozen=True, kw_only=True)
class PspObjectiveConfig(PairTerms):
    """Fully supervised objective of PSP: the general terms and the similarity of audio-visual pairs."""

    paper: ClassVar[str] = "psp2021"
    supervisions: ClassVar[tuple[Supervision, ...]] = ("full",)
    fidelity: ClassVar[str] = "parity"

    def terms(self, supervision: Supervision) -> tuple[Term, ...]:
        """The general ones, and the pairs'."""
        return self.pair_terms()


@dataclass(frozen=True, kw_only=True)
class FirstBatchConfig(SamplerConfig):
    """Order of the split, but for a first batch drawn from all videos, as PSP's public code samples under weak labels.

    Videos in the first batch's own place are left out unless drawn; those drawn from elsewhere come twice.
    """

    paper: ClassVar[str] = "psp2021"
    fidelity: ClassVar[str] = "parity"

    def positions(self, videos: int, batch_size: int, rng: np.random.Generator) -> np.ndarray:
        """The public code composes a permutation with itself, which leaves one batch of it random."""
        import numpy as np

        order = np.arange(videos)
        order[:batch_size] = rng.permutation(videos)[:batch_size]
        return order
