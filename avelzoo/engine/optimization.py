"""Learning rate of each epoch, and moving average of the weights."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import LinearLR, LRScheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from avelzoo.components import ScheduleConfig
from avelzoo.system.optimizers import uncompiled


def learning_rates(schedule: ScheduleConfig, base: float, epochs: int) -> tuple[float, ...]:
    """The learning rate of each of ``epochs`` epochs, starting at ``base``.

    The rates are computed before training, so a resumed run has the same rates and no schedule state is saved.
    """
    optimizer = _idle(base)
    rates = _stepped(schedule.build(optimizer, epochs), epochs)
    warmup = min(schedule.warmup_epochs, epochs)
    if warmup:
        ramp = LinearLR(_idle(1.0), start_factor=1 / (schedule.warmup_epochs + 1), total_iters=schedule.warmup_epochs)
        rates = [rate * factor for rate, factor in zip(rates, _stepped(ramp, warmup), strict=False)] + rates[warmup:]
    return tuple(rates)


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """Moving average of a model's weights: w <- decay w + (1 - decay) w_model after each step.

    Buffers, such as a memory's content, equal those of the model.
    """
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))  # type: ignore[no-untyped-call]


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """The parameters of a model; for one without any, a number that no loss depends on, as optimizers need one."""
    return list(model.parameters()) or [nn.Parameter(torch.zeros(()))]


def _idle(rate: float) -> SGD:
    """An optimizer of a dummy parameter, for the scheduler."""
    return uncompiled(SGD)([nn.Parameter(torch.zeros(()))], lr=rate)


def _stepped(scheduler: LRScheduler, epochs: int) -> list[float]:
    rates = []
    for _ in range(epochs):
        rates.append(float(scheduler.optimizer.param_groups[0]["lr"]))
        scheduler.optimizer.step()
        scheduler.step()
    return rates
