"""Recipes of CPSP."""

from __future__ import annotations

from avelzoo import (
    AdamConfig,
    ComputeConfig,
    DoubleConfig,
    HeadConfig,
    NoMemoryConfig,
    Recipe,
    StepsConfig,
    Supervision,
    TrainConfig,
    WorldsConfig,
)
from avelzoo_baselines.cpsp.configs import CpspConfig, CpspObjectiveConfig
from avelzoo_baselines.shared.configs import GatedDoubleConfig
from avelzoo_baselines.shared.statements import GATES, where_weak


def cpsp(supervision: Supervision) -> Recipe:
    """CPSP as described in the paper."""
    return _recipe("cpsp", "Zhou et al. 2022: contrastive positive sample propagation", supervision, official=False)


def cpsp_official(supervision: Supervision) -> Recipe:
    """CPSP as in its public code: float64, without the contrastive loss within a video, which has no gradient there."""
    return _recipe("cpsp-official", "Zhou et al. 2022: the public code (jasongief/CPSP)", supervision, official=True)


def _recipe(name: str, summary: str, supervision: Supervision, *, official: bool) -> Recipe:
    full = supervision == "full"
    head: HeadConfig = DoubleConfig(dropout=0.0) if full else GatedDoubleConfig(pooling="mean", background=False)
    return Recipe(
        name=name,
        summary=summary,
        paper="cpsp2022",
        supervision=supervision,
        dataset=WorldsConfig(weak_protocol="onehot"),
        encoder=CpspConfig(attention_axis="location" if official else "projection", threshold=0.099 if full else 0.095),
        memory=NoMemoryConfig(),
        head=head,
        objective=CpspObjectiveConfig(
            stale_slots=64,
            segment_contrast=0.0 if official and full else 0.01,
            video_margin=0.2 if full else 0.6,
            video_negatives=3 if full else 4,
        ),
        optimizer=AdamConfig(learning_rate=1e-3),
        schedule=StepsConfig(milestones=(10, 20, 30) if full else (5, 20, 40), gamma=0.5),
        train=TrainConfig(epochs=45, batch_size=64, clip_norm=0.1, drop_last=False, seed=123),
        compute=ComputeConfig(precision="64" if official else "32"),
        limits=where_weak(supervision, GATES),
    )
