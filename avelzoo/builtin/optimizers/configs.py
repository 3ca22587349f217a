"""Options of the built-in optimizers, which are those of PyTorch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from avelzoo.components import OptimizerConfig
from avelzoo.config import Bounds, Help
from avelzoo.errors import OptionError

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


@dataclass(frozen=True, kw_only=True)
class AdamConfig(OptimizerConfig):
    """Adam; weight decay is added to the gradient.

    >>> AdamConfig(weight_decay=0.01).weight_decay
    0.01
    """

    weight_decay: Annotated[float, Help("factor of the weights in their gradient"), Bounds(min=0)] = 0.0

    def build(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """`torch.optim.Adam` with its default betas and eps."""
        from torch.optim import Adam

        from avelzoo.system.optimizers import uncompiled

        parameters = list(parameters)
        return uncompiled(Adam)(
            parameters, lr=self.learning_rate, weight_decay=self.weight_decay, fused=one_kernel(parameters)
        )


@dataclass(frozen=True, kw_only=True)
class AdamWConfig(OptimizerConfig):
    """Adam with decoupled weight decay: w <- w - lr * weight_decay * w in addition to each step.

    >>> AdamWConfig().to_dict()["weight_decay"] > 0
    True
    """

    weight_decay: Annotated[float, Help("decoupled weight decay, multiplied by the learning rate"), Bounds(min=0)] = (
        0.01
    )

    def build(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """`torch.optim.AdamW` with its default betas and eps."""
        from torch.optim import AdamW

        from avelzoo.system.optimizers import uncompiled

        parameters = list(parameters)
        return uncompiled(AdamW)(
            parameters, lr=self.learning_rate, weight_decay=self.weight_decay, fused=one_kernel(parameters)
        )


@dataclass(frozen=True, kw_only=True)
class SgdConfig(OptimizerConfig):
    """Stochastic gradient descent with momentum.

    Raises:
        OptionError: ``nesterov`` without momentum.

    >>> SgdConfig(momentum=0.9).momentum
    0.9
    """

    momentum: Annotated[float, Help("momentum: factor of the previous step"), Bounds(min=0, below=1)] = 0.9
    nesterov: Annotated[bool, Help("Nesterov momentum")] = False
    weight_decay: Annotated[float, Help("factor of the weights in their gradient"), Bounds(min=0)] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and self.momentum == 0:
            raise OptionError(
                "optimizer.nesterov needs momentum",
                found="optimizer.momentum = 0",
                fix="set optimizer.momentum above 0, or optimizer.nesterov to false",
            )

    def build(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """`torch.optim.SGD`."""
        from torch.optim import SGD

        from avelzoo.system.optimizers import uncompiled

        parameters = list(parameters)
        return uncompiled(SGD)(
            parameters,
            lr=self.learning_rate,
            momentum=self.momentum,
            nesterov=self.nesterov,
            weight_decay=self.weight_decay,
            fused=one_kernel(parameters),
        )


def one_kernel(parameters: Sequence[nn.Parameter]) -> bool | None:
    """The argument ``fused``: True if all parameters are floats on CUDA devices or on the CPU, else PyTorch's default.

    On a CPU, PyTorch's default goes through each parameter, its gradient and its states a dozen times; one kernel does
    it once, in a third of the time.
    """
    devices = {parameter.device.type for parameter in parameters}
    floats = all(parameter.is_floating_point() for parameter in parameters)
    return True if floats and devices in ({"cuda"}, {"cpu"}) else None
