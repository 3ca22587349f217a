"""Recipes of PSP."""

from __future__ import annotations

from avelzoo import (
    AdamConfig,
    NoMemoryConfig,
    ObjectiveConfig,
    Published,
    Recipe,
    ShuffledConfig,
    StepsConfig,
    Supervision,
    TrainConfig,
    WorldsConfig,
)
from avelzoo_baselines.psp.configs import FirstBatchConfig, PspConfig, PspObjectiveConfig
from avelzoo_baselines.shared.configs import LayeredSingleConfig, VideoConfig

_SOURCE = "Ge et al. 2023, Table 1"


def psp(supervision: Supervision) -> Recipe:
    """PSP as described in the paper; its weak labels are the events' shares of the videos."""
    return _recipe("psp", "Zhou et al. 2021: positive sample propagation", supervision, official=False)


def psp_official(supervision: Supervision) -> Recipe:
    """PSP as in its public code."""
    summary = "Zhou et al. 2021: the public code (jasongief/PSP_CVPR_2021), bug for bug"
    return _recipe("psp-official", summary, supervision, official=True)


def _recipe(name: str, summary: str, supervision: Supervision, *, official: bool) -> Recipe:
    full = supervision == "full"
    return Recipe(
        name=name,
        summary=summary,
        paper="psp2021",
        supervision=supervision,
        dataset=WorldsConfig(weak_protocol="soft-duration"),
        encoder=PspConfig(
            attention_axis="location" if official else "projection",
            projections="both" if full else "visual",
            threshold=0.099 if full else 0.095,
            renormalize=full,
            output_layers=full,
        ),
        memory=NoMemoryConfig(),
        head=LayeredSingleConfig(bias=False, weighting=not full),
        objective=_objective(supervision, official=official),
        sampler=FirstBatchConfig() if official and not full else ShuffledConfig(),
        optimizer=AdamConfig(learning_rate=1e-3),
        schedule=StepsConfig(milestones=(60, 120) if full else (80, 160), gamma=0.8),
        train=TrainConfig(seed=123),
        published=(
            Published("full", "VGG-19 + VGGish", 0.778, _SOURCE),
            Published("full", "VGG-19 + CNN14", 0.787, _SOURCE),
            Published("weak", "VGG-19 + VGGish", 0.735, _SOURCE),
            Published("weak", "VGG-19 + CNN14", 0.757, _SOURCE),
        ),
    )


def _objective(supervision: Supervision, *, official: bool) -> ObjectiveConfig:
    if supervision == "full":
        return PspObjectiveConfig(pair_targets="stale" if official else "fresh")
    return VideoConfig(video_loss="cross-entropy")
