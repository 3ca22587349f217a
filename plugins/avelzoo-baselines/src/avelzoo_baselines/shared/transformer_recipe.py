"""Training values and branch parts of the transformer systems whose papers state none of their own."""

from __future__ import annotations

from avelzoo import (
    AdamConfig,
    GeneralConfig,
    HeadConfig,
    ObjectiveConfig,
    SingleConfig,
    StepsConfig,
    Supervision,
    TrainConfig,
)
from avelzoo_baselines.shared.configs import PooledSingleConfig, VideoConfig
from avelzoo_baselines.shared.training import Training


def transformer_training(supervision: Supervision) -> Training:
    """CMRAN's training: Adam 5e-4, batch 32, 200 epochs, rate halved three times, clipping. Assumed for others."""
    full = supervision == "full"
    return Training(
        optimizer=AdamConfig(learning_rate=5e-4),
        schedule=StepsConfig(milestones=(10, 20, 30) if full else (5, 20, 40), gamma=0.5),
        train=TrainConfig(epochs=200, batch_size=32, clip_norm=0.1 if full else 0.5, drop_last=False),
    )


def single_head(supervision: Supervision) -> HeadConfig:
    """n+1 classes per segment; under weak supervision, the mean over time is the video's."""
    return SingleConfig(dropout=0.0) if supervision == "full" else PooledSingleConfig()


def single_objective(supervision: Supervision) -> ObjectiveConfig:
    """Cross-entropy per segment, or of the video's probabilities."""
    return GeneralConfig() if supervision == "full" else VideoConfig()
