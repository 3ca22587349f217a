"""Checks for optimizers."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from avelzoo.components import OptimizerConfig


def check_uses_the_learning_rate(config: OptimizerConfig) -> None:
    """Every group of parameters has the learning rate of the options."""
    optimizer = replace(config, learning_rate=0.125).build(nn.Linear(2, 2).parameters())
    rates = {group["lr"] for group in optimizer.param_groups}
    assert rates == {0.125}, f"the learning rate is {rates}, not optimizer.learning_rate = 0.125"


def check_every_parameter_is_given(config: OptimizerConfig) -> None:
    """All parameters are optimized."""
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    given = {id(p) for group in config.build(model.parameters()).param_groups for p in group["params"]}
    assert given == {id(p) for p in model.parameters()}, "some parameters are not optimized"


def check_lowers_a_loss(config: OptimizerConfig) -> None:
    """Steps at a small rate lower a quadratic loss."""
    model, optimizer, data = _fitted(replace(config, learning_rate=1e-3))
    before = _loss(model, data).item()
    _steps(model, optimizer, data, 20)
    after = _loss(model, data).item()
    assert after < before, f"the loss does not fall: {before:.4g} to {after:.4g}"


def check_state_is_tensors(config: OptimizerConfig) -> None:
    """The state consists of tensors and numbers; a restored optimizer continues with the same step."""
    model, optimizer, data = _fitted(config)
    _steps(model, optimizer, data, 2)
    state = optimizer.state_dict()["state"]
    odd = {
        type(v).__name__ for slot in state.values() for v in slot.values() if not isinstance(v, Tensor | int | float)
    }
    assert not odd, f"the state holds {', '.join(sorted(odd))}; checkpoints keep tensors and numbers"
    other = copy.deepcopy(model)
    restored = config.build(other.parameters())
    tensors = {index: {name: torch.as_tensor(v).clone() for name, v in slot.items()} for index, slot in state.items()}
    restored.load_state_dict({"state": tensors, "param_groups": restored.state_dict()["param_groups"]})
    _steps(model, optimizer, data, 1)
    _steps(other, restored, data, 1)
    same = [torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True)]
    assert all(same), "a step from the restored state differs"


def _fitted(config: OptimizerConfig) -> tuple[nn.Module, Optimizer, Tensor]:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    return model, config.build(model.parameters()), torch.randn(8, 3)


def _loss(model: nn.Module, data: Tensor) -> Tensor:
    return torch.as_tensor(model(data) - 1.0).square().mean()


def _steps(model: nn.Module, optimizer: Optimizer, data: Tensor, count: int) -> None:
    for _ in range(count):
        optimizer.zero_grad()
        torch.autograd.backward(_loss(model, data))
        optimizer.step()
