"""Effect of one training step on the parameters, as a few numbers each, for comparison with published code."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # plugins name these functions when they register, which must not load torch
    from torch import Tensor, nn


def gradient_norms(parameters: Mapping[str, Tensor]) -> Tensor:
    """L2 norm of every parameter's gradient, in order; NaN without a gradient.

    >>> weight = torch.nn.Parameter(torch.ones(2)); (3 * weight).sum().backward()
    >>> gradient_norms({"weight": weight})
    tensor([4.2426])
    """
    import torch

    norms = [p.grad.norm() if p.grad is not None else torch.tensor(float("nan")) for p in parameters.values()]
    return torch.stack([norm.detach().float() for norm in norms])


def adam_step(parameters: Mapping[str, Tensor], learning_rate: float) -> dict[str, Tensor]:
    """Take one Adam step with the current gradients, and summarise the change of each parameter.

    Args:
        parameters: parameters by the public code's keys, in its order.
        learning_rate: Adam's learning rate; betas and eps at their defaults.

    Returns:
        ``adam_delta_abs_sum``: sum of absolute changes; ``adam_delta_probe``: inner product of the change with normal
        numbers seeded by the key; ``adam_param_abs_sum``: sum of absolute values after the step.

    >>> weight = torch.nn.Parameter(torch.ones(2)); (3 * weight).sum().backward()
    >>> sorted(adam_step({"weight": weight}, learning_rate=0.1))[0]
    'adam_delta_abs_sum'
    """
    import torch

    before = {key: p.detach().clone() for key, p in parameters.items()}
    torch.optim.Adam(list(parameters.values()), lr=learning_rate).step()
    rows: dict[str, list[float]] = {"adam_delta_abs_sum": [], "adam_delta_probe": [], "adam_param_abs_sum": []}
    for key, p in parameters.items():
        delta = (p.detach() - before[key]).double()
        rows["adam_delta_abs_sum"].append(float(delta.abs().sum()))
        rows["adam_delta_probe"].append(float((delta * probe(key, p)).sum()))
        rows["adam_param_abs_sum"].append(float(p.detach().double().abs().sum()))
    return {name: torch.tensor(values, dtype=torch.float32) for name, values in rows.items()}


def probe(key: str, like: Tensor) -> Tensor:
    """Standard normal numbers of a tensor's shape, seeded by the checksum of its key."""
    import numpy as np
    import torch

    rng = np.random.default_rng(zlib.crc32(f"probe:{key}".encode()))
    return torch.from_numpy(rng.standard_normal(tuple(like.shape)).astype(np.float32)).double()


def without_dropout(module: nn.Module) -> None:
    """Set all dropout probabilities to 0: dropout layers, attention weights, recurrent layers.

    >>> layer = torch.nn.Dropout(0.5); without_dropout(layer); layer.p
    0.0
    """
    from torch.nn.modules.dropout import _DropoutNd

    for part in module.modules():
        if isinstance(part, _DropoutNd):
            part.p = 0.0
        elif isinstance(getattr(part, "dropout", None), float):
            setattr(part, "dropout", 0.0)  # noqa: B010, attention and recurrent layers keep a plain number there
