"""Recipes of CACE-Net."""

from __future__ import annotations

from avelzoo import (
    AdamConfig,
    ComputeConfig,
    NoMemoryConfig,
    Published,
    Recipe,
    StepsConfig,
    Supervision,
    TrainConfig,
    WorldsConfig,
)
from avelzoo_baselines.cace_net.configs import CaceNetConfig, CaceNetHeadConfig, CaceNetObjectiveConfig


def cace_net(supervision: Supervision) -> Recipe:
    """CACE-Net in float32 with the joint gate trained as a probability. Fully supervised only."""
    return _recipe("cace-net", "He et al. 2024: co-guidance and contrast", supervision, official=False)


def cace_net_official(supervision: Supervision) -> Recipe:
    """CACE-Net as in its public code. Fully supervised only: the public weak model cannot be built."""
    summary = "He et al. 2024: the public code (Brain-Cog-Lab/CACE-Net), bug for bug"
    return _recipe("cace-net-official", summary, supervision, official=True)


def _recipe(name: str, summary: str, supervision: Supervision, *, official: bool) -> Recipe:
    return Recipe(
        name=name,
        summary=summary,
        paper="cace2024",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=CaceNetConfig(equal_layers=official),
        memory=NoMemoryConfig(),
        head=CaceNetHeadConfig(),
        objective=CaceNetObjectiveConfig(gate_loss="logits" if official else "probability"),
        optimizer=AdamConfig(learning_rate=7e-4),
        schedule=StepsConfig(milestones=(10, 20, 30), gamma=0.5),
        train=TrainConfig(epochs=200, batch_size=64, clip_norm=0.5, drop_last=False, seed=3917),
        compute=ComputeConfig(precision="64" if official else "32"),
        published=(
            Published("full", "the authors' own extraction", 0.808, "the public code's page; epoch chosen on test"),
        ),
    )
