"""Recipes of CMBS."""

from __future__ import annotations

from avelzoo import (
    AdamConfig,
    ComputeConfig,
    HeadConfig,
    NoMemoryConfig,
    ObjectiveConfig,
    Published,
    Recipe,
    StepsConfig,
    Supervision,
    TrainConfig,
    WorldsConfig,
)
from avelzoo_baselines.cmbs.configs import CmbsConfig, CmbsHeadConfig, CmbsObjectiveConfig, CmbsWeakHeadConfig
from avelzoo_baselines.shared.configs import VideoConfig
from avelzoo_baselines.shared.statements import GATES, SQUASHED_GATE, where_weak


def cmbs(supervision: Supervision) -> Recipe:
    """CMBS as described in the paper: streams gate each other, gates are probabilities."""
    summary = "Xia and Zhao 2022: cross-modal background suppression, as the paper states it"
    return _recipe("cmbs", summary, supervision, official=False)


def cmbs_official(supervision: Supervision) -> Recipe:
    """CMBS as in its public code."""
    summary = "Xia and Zhao 2022: the public code (marmot-xy/CMBS), bug for bug"
    return _recipe("cmbs-official", summary, supervision, official=True)


def _recipe(name: str, summary: str, supervision: Supervision, *, official: bool) -> Recipe:
    full = supervision == "full"
    head: HeadConfig = (
        CmbsHeadConfig() if full else CmbsWeakHeadConfig(relevance="squashed-gate" if official else "gate")
    )
    return Recipe(
        name=name,
        summary=summary,
        paper="cmbs2022",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=CmbsConfig(
            encoder_feedforward=1024 if full else 2048,
            recurrent=full,
            gate_weight=0.1 if full else 0.2,
            gate_form="add" if full else "mix",
            gate_source="own" if official and not full else "other",
            self_weight=0.4 if full else 0.5,
            fusion_heads=4 if full else 2,
            input_dropout=0.2 if full else 0.1,
            equal_layers=official,
        ),
        memory=NoMemoryConfig(),
        head=head,
        objective=_objective(supervision, official=official),
        optimizer=AdamConfig(learning_rate=7e-4 if full else 6e-4),
        schedule=StepsConfig(milestones=(10, 20, 30) if full else (10, 20, 40), gamma=0.5),
        train=TrainConfig(epochs=200, batch_size=64, clip_norm=0.5, drop_last=False, seed=43 if full else 666),
        compute=ComputeConfig(precision="64" if official else "32"),
        limits=where_weak(supervision, SQUASHED_GATE if official else GATES),
        published=(
            Published("full", "VGG-19 + VGGish", 0.793, "Ge et al. 2023, Table 1"),
            Published("weak", "VGG-19 + VGGish", 0.742, "Ge et al. 2023, Table 1"),
        ),
    )


def _objective(supervision: Supervision, *, official: bool) -> ObjectiveConfig:
    if supervision == "full":
        return CmbsObjectiveConfig(gate_loss="logits" if official else "probability")
    return VideoConfig(video_loss="soft-margin")
