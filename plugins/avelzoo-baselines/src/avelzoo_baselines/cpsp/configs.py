"""Options and citation of CPSP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from avelzoo import Bounds, Help, Paper, Term
from avelzoo_baselines.psp.configs import PairFullConfig, PropagationConfig
from avelzoo_baselines.shared.configs import VIDEO_LOSS, VideoConfig, VideoLoss

if TYPE_CHECKING:
    from avelzoo import FeatureSpec, Objective, Registrar

PAPER = Paper(
    key="cpsp2022",
    authors="J. Zhou, D. Guo, M. Wang",
    title="Contrastive Positive Sample Propagation along the Audio-Visual Event Line",
    venue="IEEE TPAMI",
    year=2022,
    doi="10.48550/arXiv.2211.09980",
    code="jasongief/CPSP",
)
ContrastWeight = Annotated[
    float, Help("weight of the contrast between videos, for encoders with propagated features"), Bounds(min=0)
]
Margin = Annotated[float, Help("margin of the contrast between videos"), Bounds(min=0)]
Negatives = Annotated[int, Help("nearest videos of other categories in that contrast"), Bounds(min=1)]


@dataclass(frozen=True, kw_only=True)
class CpspConfig(PropagationConfig):
    """The encoder of fully supervised PSP, whose features CPSP's objectives contrast (Zhou et al. 2022)."""

    paper: ClassVar[str] = "cpsp2022"
    fidelity: ClassVar[str] = "faithful"


@dataclass(frozen=True, kw_only=True)
class CpspFullConfig(PairFullConfig):
    """Fully supervised objective of CPSP: PSP's, and contrasts between videos and within a video."""

    paper: ClassVar[str] = "cpsp2022"
    fidelity: ClassVar[str] = "faithful"
    assumptions: ClassVar[tuple[str, ...]] = (
        "The contrast within a video is the evident intent of the public code, whose own form has no gradient.",
    )

    video_contrast: ContrastWeight = 1.0
    video_margin: Margin = 0.2
    video_negatives: Negatives = 3
    segment_contrast: Annotated[
        float,
        Help("weight of the contrast within a video; 0 as in the public code, where it has no gradient"),
        Bounds(min=0),
    ] = 0.01
    segment_temperature: Annotated[float, Help("temperature of the contrast within a video"), Bounds(above=0)] = 0.6

    @property
    def terms(self) -> Mapping[str, Term]:
        """PSP's, and both contrasts."""
        options = ("segment_contrast", "segment_temperature")
        within = Term(weight=self.segment_contrast, needs=("propagated",), options=options, own=True)
        return {**super().terms, "video_contrast": _between_videos(self), "segment_contrast": within}

    def build(self, spec: FeatureSpec) -> Objective:
        """The objective."""
        from avelzoo_baselines.cpsp.objective import Contrasting

        return Contrasting(self, others=super().build(spec))


@dataclass(frozen=True, kw_only=True)
class CpspWeakConfig(VideoConfig):
    """Weak objective of CPSP: the video's probabilities, and the contrast between videos."""

    paper: ClassVar[str] = "cpsp2022"
    fidelity: ClassVar[str] = "faithful"

    video_loss: Annotated[VideoLoss, VIDEO_LOSS] = "soft-margin"
    video_contrast: ContrastWeight = 1.0
    video_margin: Margin = 0.6
    video_negatives: Negatives = 4

    @property
    def terms(self) -> Mapping[str, Term]:
        """The video's, and the contrast between videos."""
        return {**super().terms, "video_contrast": _between_videos(self)}

    def build(self, spec: FeatureSpec) -> Objective:
        """The objective."""
        from avelzoo_baselines.cpsp.objective import Contrasting

        return Contrasting(self, others=super().build(spec))


def _between_videos(config: CpspFullConfig | CpspWeakConfig) -> Term:
    options = ("video_contrast", "video_margin", "video_negatives")
    return Term(weight=config.video_contrast, needs=("propagated",), options=options, own=True)


def register(zoo: Registrar) -> None:
    """Offer CPSP."""
    from avelzoo_baselines.cpsp.official import Cpsp2022
    from avelzoo_baselines.cpsp.recipes import cpsp, cpsp_official

    zoo.paper(PAPER)
    zoo.encoder("cpsp", CpspConfig)
    zoo.objective("cpsp", CpspFullConfig)
    zoo.objective("cpsp-weak", CpspWeakConfig)
    zoo.recipe("cpsp", cpsp)
    zoo.recipe("cpsp-official", cpsp_official)
    zoo.official("cpsp", Cpsp2022)
