"""Training values of the recurrent systems whose papers state none of their own."""

from __future__ import annotations

from avelzoo import Supervision, TrainConfig


def recurrent_training(supervision: Supervision) -> TrainConfig:
    """Those of AVEL 2018's public code: Adam 1e-3, batch 64, 300 epochs (250 weak). Assumed for others."""
    full = supervision == "full"
    return TrainConfig(
        epochs=300 if full else 250,
        batch_size=64,
        learning_rate=1e-3,
        schedule="steps" if full else "constant",
        milestones=(288,) if full else (),
        drop_last=False,
    )
