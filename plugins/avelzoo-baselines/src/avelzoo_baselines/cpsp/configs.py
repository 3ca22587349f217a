"""Options and citation of CPSP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

from avelzoo import Bounds, Help, Paper, Supervision, Term
from avelzoo_baselines.channels import PROPAGATED
from avelzoo_baselines.psp.configs import PairTerms, PropagationConfig
from avelzoo_baselines.shared.configs import VIDEO_LOSS, VideoLoss, VideoTerms

if TYPE_CHECKING:
    from avelzoo import FeatureSpec, LossFunction

PAPER = Paper(
    key="cpsp2022",
    authors="J. Zhou, D. Guo, M. Wang",
    title="Contrastive Positive Sample Propagation along the Audio-Visual Event Line",
    venue="IEEE TPAMI",
    year=2022,
    doi="10.48550/arXiv.2211.09980",
    code="jasongief/CPSP",
)


@dataclass(frozen=True, kw_only=True)
class CpspConfig(PropagationConfig):
    """The encoder of fully supervised PSP, with features for CPSP's contrastive losses (Zhou et al. 2022)."""

    paper: ClassVar[str] = "cpsp2022"
    fidelity: ClassVar[str] = "faithful"


@dataclass(frozen=True, kw_only=True)
class CpspObjectiveConfig(PairTerms, VideoTerms):
    """PSP's terms (weak: loss on video probabilities) plus contrastive losses between and within videos."""

    paper: ClassVar[str] = "cpsp2022"
    fidelity: ClassVar[str] = "faithful"
    assumptions: ClassVar[tuple[str, ...]] = (
        "The contrastive loss within a video follows the intent of the public code, whose version has no gradient.",
    )
    only_under: ClassVar[Mapping[str, Supervision]] = {
        **PairTerms.only_under,
        **dict.fromkeys(("event", "relevance", "contrastive", "segment", "contrastive_mean"), "full"),
        **dict.fromkeys(("pair", "pair_targets", "stale_slots", "segment_contrast", "segment_temperature"), "full"),
        **dict.fromkeys(("video", "video_loss"), "weak"),
    }

    video_loss: Annotated[VideoLoss, VIDEO_LOSS] = "soft-margin"
    video_contrast: Annotated[float, Help("weight of the contrastive loss between videos"), Bounds(min=0)] = 1.0
    video_margin: Annotated[float, Help("margin of the contrastive loss between videos"), Bounds(min=0)] = 0.2
    video_negatives: Annotated[int, Help("number of negatives: nearest videos of other categories"), Bounds(min=1)] = 3
    segment_contrast: Annotated[
        float,
        Help("full: weight of the contrastive loss within a video; 0 in the public code"),
        Bounds(min=0),
    ] = 0.01
    segment_temperature: Annotated[
        float, Help("full: temperature of the contrastive loss within a video"), Bounds(above=0)
    ] = 0.6

    def terms(self, supervision: Supervision) -> tuple[Term, ...]:
        """PSP's terms or the video term, and the contrastive terms."""
        of_contrast = ("video_contrast", "video_margin", "video_negatives")
        between = Term("video_contrast", self.video_contrast, (PROPAGATED,), self._between, of_contrast, own=True)
        if supervision == "weak":
            return (*self.video_terms(), between)
        options = ("segment_contrast", "segment_temperature")
        within = Term("segment_contrast", self.segment_contrast, (PROPAGATED,), self._within, options, own=True)
        return (*self.pair_terms(), between, within)

    def _between(self, spec: FeatureSpec) -> LossFunction:
        from avelzoo_baselines.cpsp.objective import between_videos

        return partial(between_videos, margin=self.video_margin, negatives=self.video_negatives)

    def _within(self, spec: FeatureSpec) -> LossFunction:
        from avelzoo_baselines.cpsp.objective import within_videos

        return partial(within_videos, temperature=self.segment_temperature)
