"""Recipes of AVEL 2018."""

from __future__ import annotations

from avelzoo import (
    AdamConfig,
    ConstantConfig,
    NoMemoryConfig,
    ObjectiveConfig,
    Published,
    Recipe,
    SequentialConfig,
    ShuffledConfig,
    StepsConfig,
    Supervision,
    TrainConfig,
    WorldsConfig,
)
from avelzoo_baselines.avel2018.configs import Avel2018Config, Avel2018DmrnConfig, SegmentConfig
from avelzoo_baselines.shared.configs import AttendedStreamsConfig, LayeredSingleConfig, VideoConfig
from avelzoo_baselines.shared.statements import POOLED_MAXIMUM, where_weak

_SOURCE = "Ge et al. 2023, Table 1"


def avel2018(supervision: Supervision) -> Recipe:
    """A+V-att as described in the paper."""
    summary = "Tian et al. 2018: audio-guided visual attention (A+V-att), as the paper states it"
    return _attention("avel2018", summary, supervision, official=False)


def avel2018_official(supervision: Supervision) -> Recipe:
    """A+V-att as in its public code."""
    summary = "Tian et al. 2018: A+V-att by the public code (YapengTian/AVE-ECCV18), bug for bug"
    return _attention("avel2018-official", summary, supervision, official=True)


def avel2018_dmrn(supervision: Supervision) -> Recipe:
    """DMRN as described in the paper, trained from scratch. The weak variant is ours."""
    summary = "Tian et al. 2018: dual multimodal residual network (DMRN); its weak variant is ours"
    return _residual("avel2018-dmrn", summary, supervision, official=False)


def avel2018_dmrn_official(supervision: Supervision) -> Recipe:
    """DMRN as in its public code. The weak variant is ours."""
    summary = "Tian et al. 2018: DMRN by the public code (YapengTian/AVE-ECCV18); its weak variant is ours"
    return _residual("avel2018-dmrn-official", summary, supervision, official=True)


def _attention(name: str, summary: str, supervision: Supervision, *, official: bool) -> Recipe:
    encoder = Avel2018Config(attention_axis="location" if official else "projection")
    published = (
        Published("full", "VGG-19 + VGGish", 0.727, _SOURCE),
        Published("full", "VGG-19 + CNN14", 0.736, _SOURCE),
        Published("weak", "VGG-19 + VGGish", 0.667, _SOURCE),
        Published("weak", "VGG-19 + CNN14", 0.702, _SOURCE),
    )
    return _recipe(name, summary, supervision, encoder=encoder, head_hidden=64, published=published, official=official)


def _residual(name: str, summary: str, supervision: Supervision, *, official: bool) -> Recipe:
    encoder = Avel2018DmrnConfig(
        attention_axis="location" if official else "projection",
        attention_init="default" if official else "xavier",
        swap=official,
    )
    return _recipe(name, summary, supervision, encoder=encoder, head_hidden=None, published=(), official=official)


def _recipe(
    name: str,
    summary: str,
    supervision: Supervision,
    *,
    encoder: AttendedStreamsConfig,
    head_hidden: int | None,
    published: tuple[Published, ...],
    official: bool,
) -> Recipe:
    full = supervision == "full"
    return Recipe(
        name=name,
        summary=summary,
        paper="avel2018",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=encoder,
        memory=NoMemoryConfig(),
        head=LayeredSingleConfig(hidden=head_hidden, pooling="max" if official else "mean"),
        objective=_objective(supervision, official=official),
        sampler=SequentialConfig() if official else ShuffledConfig(),
        optimizer=AdamConfig(learning_rate=1e-3),
        # The public code decays after 15 000 steps: on AVE in the 289th epoch of 52 steps, never where weak.
        schedule=StepsConfig(milestones=(288,)) if full else ConstantConfig(),
        train=TrainConfig(epochs=300 if full else 250, batch_size=64, seed=3344),
        published=published,
        limits=where_weak(supervision, POOLED_MAXIMUM) if official else (),
    )


def _objective(supervision: Supervision, *, official: bool) -> ObjectiveConfig:
    if supervision == "full":
        return SegmentConfig(segment_loss="soft-margin" if official else "cross-entropy")
    return VideoConfig(video_loss="soft-margin" if official else "categorical")
