"""A bank whose embeddings are allowed to grow stale: an approximation for speed."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from avelzoo.builtin.memory.bank import Bank
from avelzoo.builtin.memory.slots import Candidates
from avelzoo.contracts import Encode
from avelzoo.records import Batch, Encoded, MemoryView, Targets, Unimodal


class LazyBank(Bank):
    """Raw segments as in `jsd-bank`, encoded anew in every k-th training step alone, and without gradient.

    Between two encodings a segment keeps the embedding it had: that of its own video when it entered, that of its
    category's sequence since. Evaluation encodes everything, as the exact bank does.

    Args:
        bank: every option of the exact bank.
        every: k.
    """

    age: Tensor

    def __init__(self, bank: Bank, *, every: int) -> None:
        super().__init__(
            bank.slots,
            bank.classifiers,
            bank.relation,
            stores="raw",
            width=bank.width,
            supervised=bank.supervised,
            unfilled="zeros" if bank.zeros_count else "skip",
            background_videos="category-0" if bank.background_as_first else "skip",
            context=bank.context,
            refresh=bank.refresh,
        )
        self.every = every
        self.register_buffer("age", torch.zeros((), dtype=torch.int64))

    def observe(self, encoded: Encoded, batch: Batch, targets: Targets) -> Unimodal:
        """As the exact bank; counts the training steps."""
        self.age += 1
        return super().observe(encoded, batch, targets)

    def read(self, encode: Encode) -> MemoryView:
        """(n l d) embeddings without gradient in training, at most k steps old."""
        if not self.training:
            return super().read(encode)
        stored = self.slots.payload("fused")
        filled = torch.ones_like(self.slots.filled) if self.zeros_count else self.slots.filled.clone()
        if int(self.age) % self.every == 0 or self.every == 1:
            with torch.no_grad():
                view, parts = self.encoded(encode, filled)
                stored.copy_(view.items)
                if self.refresh:
                    self.rank_again(parts)
            return view
        return MemoryView(items=stored.clone(), filled=filled)

    def candidates(self, encoded: Encoded, batch: Batch, targets: Targets, unimodal: Unimodal) -> Candidates:
        """As the exact bank's, with their embeddings."""
        found = super().candidates(encoded, batch, targets, unimodal)
        return replace(found, source={**found.source, "fused": encoded.fused.flatten(0, 1)})
