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
    """Options of encoders with positive sample propagation; the defaults are those of PSP under full supervision."""

    projections: Annotated[
        Literal["both", "visual"],
        Help("linear layers before the LSTMs: both modalities, or visual only (weak PSP)"),
    ] = "both"
    threshold: Annotated[
        float,
        Help("tau: pruning threshold of a pair, as share of its row"),
        Bounds(min=0, below=1),
    ] = 0.099
    renormalize: Annotated[bool, Help("renormalise rows to sum 1 after pruning (not in weak PSP)")] = True
    output_layers: Annotated[bool, Help("one layer per modality after the propagation (not in weak PSP)")] = True
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
    """Audio-guided attention, LSTMs, and propagation between similar segment pairs (Zhou et al. 2021)."""

    paper: ClassVar[str] = "psp2021"
    fidelity: ClassVar[str] = "parity"


@dataclass(frozen=True, kw_only=True)
class PairTerms(GeneralTerms, ABC):
    """Base of the objectives of PSP and CPSP: the general terms and the pair term."""

    pair: Annotated[float, Help("weight of the pair similarity loss"), Bounds(min=0)] = 100.0
    pair_targets: Annotated[
        Literal["fresh", "stale"],
        Help("targets: of the batch, or with stale background of earlier batches (public code)"),
    ] = "fresh"
    stale_slots: Annotated[int, Help("rows of the stale buffer: the batch size"), Bounds(min=1)] = 128

    def pair_terms(self) -> tuple[Term, ...]:
        """The general full terms and the pair similarity term."""
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
        """The general terms and the pair term."""
        return self.pair_terms()


@dataclass(frozen=True, kw_only=True)
class FirstBatchConfig(SamplerConfig):
    """Split order with a random first batch, as in PSP's public code under weak labels.

    Videos at the first batch's positions are skipped unless drawn; videos drawn from other positions appear twice.
    """

    paper: ClassVar[str] = "psp2021"
    fidelity: ClassVar[str] = "parity"

    def positions(self, videos: int, batch_size: int, rng: np.random.Generator) -> np.ndarray:
        """The public code composes a permutation with itself, so only one batch is random."""
        import numpy as np

        order = np.arange(videos)
        order[:batch_size] = rng.permutation(videos)[:batch_size]
        return order
