"""How several systems are trained alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from avelzoo import OptimizerConfig, ScheduleConfig, TrainConfig


class Training(TypedDict):
    """The slots of a recipe that systems share: `Recipe(..., **training)`."""

    optimizer: OptimizerConfig
    schedule: ScheduleConfig
    train: TrainConfig
