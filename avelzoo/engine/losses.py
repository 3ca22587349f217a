"""Losses of an epoch; a loss that is not finite stops training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from avelzoo.engine.diverging import FIX, spoiled_weights
from avelzoo.errors import TrainingError


class Losses:
    """Loss and terms of every step.

    Args:
        epoch: 0-based.
        check_every: steps between checks; each check synchronises a GPU.
    """

    def __init__(self, epoch: int, *, check_every: int) -> None:
        self.epoch = epoch
        self._check_every = check_every
        self._checked = 0
        self._losses: list[Tensor] = []
        self._terms: list[dict[str, Tensor]] = []

    def add(self, loss: Tensor, terms: Mapping[str, Tensor]) -> None:
        """Record a step."""
        self._losses.append(loss.detach())
        self._terms.append({name: value.detach() for name, value in terms.items()})
        if len(self._losses) % self._check_every == 0:
            self.check()

    def check(self) -> None:
        """Check all steps since the last check.

        Raises:
            TrainingError: a loss is not finite; the error names its step and terms.
        """
        news = self._losses[self._checked :]
        if not news or bool(torch.stack(news).isfinite().all()):
            self._checked = len(self._losses)
            return
        step = self._checked + next(i for i, loss in enumerate(news) if not bool(loss.isfinite()))
        terms = ", ".join(f"{name} {value.item():.4g}" for name, value in self._terms[step].items())
        raise TrainingError(
            "the loss is not finite",
            where=f"epoch {self.epoch + 1}, step {step + 1}",
            found=f"loss {self._losses[step].item()}; its terms: {terms}",
            expected="a finite number",
            fix=FIX,
        )

    def last(self) -> str:
        """Loss and terms of the last step, in words; empty before the first."""
        if not self._losses:
            return ""
        terms = ", ".join(f"{name} {value.item():.4g}" for name, value in self._terms[-1].items())
        return f"the last step's loss {self._losses[-1].item():.4g}; its terms: {terms}"

    def means(self) -> dict[str, Any]:
        """Mean loss, mean of each unweighted term over the steps with that term, and the number of steps."""
        terms: dict[str, list[float]] = {}
        for step in self._terms:
            for name, value in step.items():
                terms.setdefault(name, []).append(value.item())
        losses = [loss.item() for loss in self._losses]
        return {
            "loss": sum(losses) / len(losses),
            "terms": {name: sum(values) / len(values) for name, values in terms.items()},
            "steps": len(losses),
        }


def require_finite_weights(model: nn.Module, epoch: int) -> None:
    """Refuse weights that are not finite or too large.

    Raises:
        TrainingError: a parameter contains NaN, infinity or a huge number, or a buffer, such as a bank's scores,
            contains NaN.
    """
    if spoiled := spoiled_weights(model):
        raise TrainingError(
            "the weights are not finite or too large", where=f"end of epoch {epoch + 1}", found=spoiled, fix=FIX
        )
