"""Optimizers are PyTorch's, learning rates are those of the formulas, for every epoch."""

from __future__ import annotations

import math

import pytest
import torch
from torch.optim import SGD, Adam, AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR, MultiStepLR

from avelzoo import AdamConfig, AdamWConfig, ConstantConfig, CosineConfig, OptionError, SgdConfig, StepsConfig
from avelzoo.engine.optimization import learning_rates
from avelzoo.plugin.default import default_host


@pytest.mark.parametrize(
    ("schedule", "torchs"),
    [
        (CosineConfig(), lambda optimizer: CosineAnnealingLR(optimizer, T_max=7)),
        (StepsConfig(milestones=(2, 3, 6), gamma=0.3), lambda optimizer: MultiStepLR(optimizer, [2, 3, 6], gamma=0.3)),
        (ConstantConfig(), lambda optimizer: MultiStepLR(optimizer, [])),
    ],
)
def test_learning_rates_are_torchs(schedule, torchs):
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    scheduler = torchs(optimizer)
    for rate in learning_rates(schedule, 0.4, 7):
        assert rate == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
        optimizer.step()
        scheduler.step()


def closed_formula(recipe, epoch, epochs):
    """The former schedule of the training loop, bit by bit."""
    rate, schedule = recipe.optimizer.learning_rate, recipe.schedule
    if isinstance(schedule, CosineConfig):
        return rate * (1 + math.cos(math.pi * epoch / epochs)) / 2
    if isinstance(schedule, StepsConfig):
        return rate * schedule.gamma ** sum(epoch >= m for m in schedule.milestones)
    assert isinstance(schedule, ConstantConfig)
    return rate


@pytest.mark.parametrize("supervision", ["full", "weak"])
def test_every_recipe_keeps_its_learning_rates_bit_for_bit(supervision):
    entries = [e for e in default_host().registry.entries("recipe") if e.plugin.startswith("avelzoo")]
    for entry in entries:
        recipe = entry.target("full" if entry.name.startswith("cace-net") else supervision)
        for epochs in (10, recipe.train.epochs):
            rates = learning_rates(recipe.schedule, recipe.optimizer.learning_rate, epochs)
            assert rates == tuple(closed_formula(recipe, epoch, epochs) for epoch in range(epochs)), entry.name


def test_warm_up_is_a_line_and_what_follows_is_untouched():
    plain = learning_rates(CosineConfig(), 0.4, 10)
    warm = learning_rates(CosineConfig(warmup_epochs=4), 0.4, 10)
    assert warm[4:] == plain[4:]
    assert warm[:4] == pytest.approx([rate * k / 5 for rate, k in zip(plain, (1, 2, 3, 4), strict=False)], rel=1e-12)


def test_warm_up_may_be_longer_than_the_run():
    assert learning_rates(ConstantConfig(warmup_epochs=9), 1.0, 2) == pytest.approx([0.1, 0.2], rel=1e-12)


@pytest.mark.parametrize(
    ("config", "torchs"),
    [
        (AdamConfig(learning_rate=0.1), lambda p: Adam(p, lr=0.1)),
        (AdamConfig(learning_rate=0.1, weight_decay=0.5), lambda p: Adam(p, lr=0.1, weight_decay=0.5)),
        (AdamWConfig(learning_rate=0.1), lambda p: AdamW(p, lr=0.1)),
        (
            SgdConfig(learning_rate=0.1, momentum=0.8, nesterov=True, weight_decay=0.2),
            lambda p: SGD(p, lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.2),
        ),
    ],
)
def test_steps_are_torchs(config, torchs):
    ours, theirs = (torch.nn.Parameter(torch.tensor([1.0, -2.0])) for _ in range(2))
    pairs = ((config.build([ours]), ours), (torchs([theirs]), theirs))
    for _ in range(3):
        for optimizer, parameter in pairs:
            parameter.grad = parameter.detach() + 1
            optimizer.step()
    assert torch.equal(ours, theirs)
    assert not torch.equal(ours, torch.tensor([1.0, -2.0]))


def test_nesterov_without_momentum_is_refused():
    with pytest.raises(OptionError, match="nesterov needs momentum"):
        SgdConfig(momentum=0.0, nesterov=True)
