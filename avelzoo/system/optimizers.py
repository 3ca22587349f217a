"""PyTorch's optimizers without PyTorch's compiler.

The methods of `torch.optim.Optimizer` import ``torch._dynamo``, half of a run's start, to say what is not compiled.
avelzoo compiles encoders only, so its optimizers use the functions inside these wrappers.
"""

from __future__ import annotations

from inspect import unwrap
from typing import Any, TypeVar

import torch
from torch.optim import Optimizer

AnyOptimizer = TypeVar("AnyOptimizer", bound=Optimizer)

_WRAPPED = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
_MADE: dict[type[Optimizer], Any] = {}


def uncompiled(optimizer: type[AnyOptimizer]) -> type[AnyOptimizer]:
    """A subclass of one of PyTorch's optimizers with the same arithmetic, hooks and state.

    >>> from torch.optim import SGD
    >>> issubclass(uncompiled(SGD), SGD)
    True
    """
    if optimizer not in _MADE:
        methods = {name: unwrap(getattr(optimizer, name)) for name in _WRAPPED}
        methods["step"] = torch.no_grad()(unwrap(optimizer.step))
        _MADE[optimizer] = type(optimizer.__name__, (optimizer,), methods)
    made: type[AnyOptimizer] = _MADE[optimizer]
    return made
