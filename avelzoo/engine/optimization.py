"""Adam and the learning rate over epochs."""

from __future__ import annotations

import math

from torch import nn
from torch.optim import Adam

from avelzoo.composition.recipe import TrainConfig


def adam(model: nn.Module, train: TrainConfig) -> Adam:
    """Adam with default betas and eps and no weight decay, as every published system here uses it."""
    return Adam(model.parameters(), lr=train.learning_rate)


def learning_rate(train: TrainConfig, epoch: int) -> float:
    """The learning rate during a 0-based epoch.

    cosine: lr (1 + cos(pi epoch / epochs)) / 2; constant: lr; steps: lr gamma^(milestones passed).
    """
    if train.schedule == "cosine":
        return train.learning_rate * (1 + math.cos(math.pi * epoch / train.epochs)) / 2
    if train.schedule == "steps":
        return train.learning_rate * train.gamma ** sum(epoch >= m for m in train.milestones)
    return train.learning_rate
