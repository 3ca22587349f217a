"""Values that a decoder chooses on val: buffers, saved with the weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Values(nn.Module):
    """Named numbers with defaults, until `set` replaces them by those chosen on val.

    Args:
        defaults: number by name, in the order of `describe`.

    >>> Values({"threshold": 0.5})["threshold"]
    0.5
    """

    fitted: Tensor

    def __init__(self, defaults: Mapping[str, float]) -> None:
        super().__init__()
        self.names = tuple(defaults)
        for name, value in defaults.items():
            self.register_buffer(name, torch.tensor(value, dtype=torch.float32))
        self.register_buffer("fitted", torch.zeros((), dtype=torch.bool))

    def __getitem__(self, name: str) -> float:
        """The number, as its buffer holds it."""
        return float(getattr(self, name))

    def set(self, **found: float) -> None:
        """Replace values by those chosen on val."""
        for name, value in found.items():
            getattr(self, name).fill_(value)
        self.fitted.fill_(True)

    @property
    def origin(self) -> str:
        """Where the values come from, in words."""
        return "chosen on val" if self.fitted else "default, not tuned"
