"""No memory."""

from __future__ import annotations

import torch
from torch import Tensor

from avelzoo.contracts import Encode, Memory
from avelzoo.records import Batch, Encoded, Targets


class NoMemory(Memory):
    """A memory without content."""

    def observe(self, encoded: Encoded, batch: Batch, targets: Targets) -> None:
        """Ignore the batch."""
        return

    def wants_features(self, encoded: Encoded, batch: Batch, targets: Targets) -> Tensor:
        """None."""
        return torch.zeros_like(batch.rows, dtype=torch.bool)

    def read(self, encode: Encode) -> None:
        """Return None."""
        return
