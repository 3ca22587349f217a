"""Recipes of CPSP."""

from __future__ import annotations

from avelzoo import (
    DoubleConfig,
    HeadConfig,
    NoMemoryConfig,
    ObjectiveConfig,
    Recipe,
    Supervision,
    TrainConfig,
    WorldsConfig,
)
from avelzoo_baselines.cpsp.configs import CpspConfig, CpspFullConfig, CpspWeakConfig
from avelzoo_baselines.shared.configs import GatedDoubleConfig
from avelzoo_baselines.shared.statements import GATES, where_weak


def cpsp(supervision: Supervision) -> Recipe:
    """CPSP as the paper describes it."""
    return _recipe("cpsp", "Zhou et al. 2022: contrastive positive sample propagation", supervision, official=False)


def cpsp_official(supervision: Supervision) -> Recipe:
    """CPSP as its public code runs it: in float64, without the contrast within a video, which has no gradient there."""
    return _recipe("cpsp-official", "Zhou et al. 2022: the public code (jasongief/CPSP)", supervision, official=True)


def _recipe(name: str, summary: str, supervision: Supervision, *, official: bool) -> Recipe:
    full = supervision == "full"
    head: HeadConfig = (
        DoubleConfig(pooling="mean", threshold=0.5, dropout=0.0, dropout_at="features")
        if full
        else GatedDoubleConfig(threshold=0.5, pooling="mean", background=False)
    )
    return Recipe(
        name=name,
        summary=summary,
        paper="cpsp2022",
        supervision=supervision,
        dataset=WorldsConfig(weak_protocol="onehot"),
        encoder=CpspConfig(
            hidden=128,
            attention_width=512,
            attention_axis="location" if official else "projection",
            projections="both",
            threshold=0.099 if full else 0.095,
            renormalize=True,
            output_layers=True,
            dropout=0.1,
        ),
        memory=NoMemoryConfig(),
        head=head,
        objective=_objective(supervision, official=official),
        train=TrainConfig(
            epochs=45,
            batch_size=64,
            learning_rate=1e-3,
            schedule="steps",
            milestones=(10, 20, 30) if full else (5, 20, 40),
            gamma=0.5,
            clip_norm=0.1,
            order="shuffled",
            drop_last=False,
            seed=123,
            precision="64" if official else "32",
        ),
        limits=where_weak(supervision, GATES),
    )


def _objective(supervision: Supervision, *, official: bool) -> ObjectiveConfig:
    if supervision == "full":
        return CpspFullConfig(
            event=1.0,
            relevance=1.0,
            pair=100.0,
            pair_targets="fresh",
            stale_slots=64,
            video_contrast=1.0,
            video_margin=0.2,
            video_negatives=3,
            segment_contrast=0.0 if official else 0.01,
            segment_temperature=0.6,
            segment=1.0,
            unimodal=0.01,
            prototype=0.1,
            contrastive=0.1,
            prototype_level="segment",
            contrastive_mean="segments",
        )
    return CpspWeakConfig(
        video=1.0,
        video_loss="soft-margin",
        video_contrast=1.0,
        video_margin=0.6,
        video_negatives=4,
        unimodal=0.01,
        prototype=0.1,
        prototype_level="segment",
        background_videos="mask",
    )
