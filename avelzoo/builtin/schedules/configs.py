"""Options of the built-in schedules.

Each schedule is a `torch.optim.lr_scheduler.LambdaLR` of a closed formula. PyTorch's `CosineAnnealingLR` and
`MultiStepLR` compute the same rates by recursion over epochs, which differs in the last digits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from avelzoo.components import ScheduleConfig
from avelzoo.config import Bounds, Help

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler


@dataclass(frozen=True, kw_only=True)
class CosineConfig(ScheduleConfig):
    """Half a cosine from the learning rate towards 0: lr (1 + cos(pi e / epochs)) / 2 in epoch e.

    >>> issubclass(CosineConfig, avelzoo.ScheduleConfig)
    True
    """

    def build(self, optimizer: Optimizer, epochs: int) -> LRScheduler:
        """The scheduler."""
        from torch.optim.lr_scheduler import LambdaLR

        return LambdaLR(optimizer, lambda epoch: (1 + math.cos(math.pi * epoch / epochs)) / 2)


@dataclass(frozen=True, kw_only=True)
class StepsConfig(ScheduleConfig):
    """The learning rate times gamma at each milestone: lr gamma^(milestones passed).

    >>> StepsConfig(milestones=(10, 20)).milestones
    (10, 20)
    """

    milestones: Annotated[tuple[int, ...], Help("epochs at which the rate decays"), Bounds(min=1)] = ()
    gamma: Annotated[float, Help("factor at each milestone"), Bounds(above=0, max=1)] = 0.1

    def build(self, optimizer: Optimizer, epochs: int) -> LRScheduler:
        """The scheduler."""
        from torch.optim.lr_scheduler import LambdaLR

        return LambdaLR(optimizer, lambda epoch: self.gamma ** sum(epoch >= m for m in self.milestones))


@dataclass(frozen=True, kw_only=True)
class ConstantConfig(ScheduleConfig):
    """The same learning rate in every epoch.

    >>> ConstantConfig() == ConstantConfig()
    True
    """

    def build(self, optimizer: Optimizer, epochs: int) -> LRScheduler:
        """The scheduler."""
        from torch.optim.lr_scheduler import LambdaLR

        return LambdaLR(optimizer, lambda epoch: 1.0)
