"""Training values of the recurrent systems whose papers state none of their own."""

from __future__ import annotations

from avelzoo import AdamConfig, ConstantConfig, StepsConfig, Supervision, TrainConfig
from avelzoo_baselines.shared.training import Training


def recurrent_training(supervision: Supervision) -> Training:
    """Training of AVEL 2018's public code: Adam 1e-3, batch 64, 300 epochs (250 weak). Assumed for other systems."""
    full = supervision == "full"
    return Training(
        optimizer=AdamConfig(learning_rate=1e-3),
        schedule=StepsConfig(milestones=(288,)) if full else ConstantConfig(),
        train=TrainConfig(epochs=300 if full else 250, batch_size=64, drop_last=False),
    )
