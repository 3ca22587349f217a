"""A composed model: from features to a loss, and from features to predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from avelzoo.channels import RELEVANCE_ESTIMATE, Channel
from avelzoo.composition import returned
from avelzoo.composition.lengths import decode, each_length, encode, unimodal_scores
from avelzoo.composition.objective import SumOfTerms
from avelzoo.contracts import Decoder, Encode, Encoder, Head, Memory
from avelzoo.records import Batch, Encoded, HeadOutput, MemoryView, Predictions, Targets


@dataclass(frozen=True)
class StepOutput:
    """Result of a training step.

    Attributes:
        loss: weighted sum of the terms, a scalar with gradient.
        terms: every term, unweighted.
        output: head output from which the loss was computed.
        view: the memory's content in this step.

    >>> data = WorldsConfig(train_videos=8).open("full")
    >>> list(build(recipes["single-branch"]("full"), data.spec)(*data.split("train").fetch([0, 1])).terms)
    ['segment']
    """

    loss: Tensor
    terms: dict[str, Tensor]
    output: HeadOutput
    view: MemoryView | None


class Model(nn.Module):
    """Encoder, memory, head and objective, applied in this order; `decoder`, if any, decides on whole splits.

    The memory is updated before it is read in the same step, as in the paper (sec. 3.4) and its code.

    >>> model = build(recipes["ead-b"]("full"), WorldsConfig().open("full").spec)
    >>> list(model.objective.weights)
    ['event', 'relevance', 'unimodal', 'prototype', 'contrastive']
    """

    def __init__(
        self, encoder: Encoder, memory: Memory, head: Head, objective: SumOfTerms, decoder: Decoder | None = None
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.memory = memory
        self.head = head
        self.objective = objective
        self.decoder = decoder

    def forward(self, batch: Batch, targets: Targets) -> StepOutput:
        """Compute loss and terms of one training step. Updates the memory."""
        return self.learn(encode(self.encoder, batch), batch, targets, self.encoder)

    def learn(self, encoded: Encoded, batch: Batch, targets: Targets, encode: Encode) -> StepOutput:
        """The part of a training step after the encoder.

        Args:
            encoded: the encoded batch.
            batch: the features it was encoded from; the memory may read them.
            targets: labels of the batch.
            encode: the encoder that the memory calls.
        """
        targets = self.with_estimate(encoded, targets)
        observed = returned.channels(self.memory, self.memory.observe(encoded, batch, targets))
        view = self._read(encode)
        output = self.output(encoded, view, observed)
        terms = self._terms(output, targets, view)
        return StepOutput(self.objective.total(terms, like=batch.audio), terms, output, view)

    def _terms(self, output: HeadOutput, targets: Targets, view: MemoryView | None) -> dict[str, Tensor]:
        """The objective's terms; for mixed videos, share L(targets) + (1 - share) L(the partners' targets)."""
        terms: dict[str, Tensor] = self.objective(output, targets, view)
        if (other := targets.mixed_in) is None:
            return terms
        rest: dict[str, Tensor] = self.objective(output, other, view)
        parts = ((targets.share, terms), (1 - targets.share, rest))
        return {
            name: torch.stack([share * found[name] for share, found in parts if name in found]).sum()
            for name in terms | rest
        }

    def with_estimate(self, encoded: Encoded, targets: Targets) -> Targets:
        """The targets with the head's own estimate of each segment's relevance, for the memory, and with the mask."""
        mask, segments = encoded.mask, targets.segments
        if mask is not None and segments is not None:
            segments = segments.masked_fill(~mask, targets.background)
        return replace(targets, segments=segments, estimate=self._estimate(encoded), mask=mask)

    def _estimate(self, encoded: Encoded) -> Tensor | None:
        if encoded.mask is None:
            return self.head.estimate(encoded)

        def estimated(part: Encoded) -> HeadOutput:
            found = self.head.estimate(part)
            return HeadOutput(channels={} if found is None else {RELEVANCE_ESTIMATE: found})

        return each_length(estimated, encoded, encoded.mask).get(RELEVANCE_ESTIMATE)

    def view(self) -> MemoryView | None:
        """The memory's content; in evaluation, read it once and pass it to every ``predict``."""
        return self._read(self.encoder)

    def _read(self, encode: Encode) -> MemoryView | None:
        return returned.record_or_none(self.memory, "read", self.memory.read(encode), MemoryView)

    def predict(self, batch: Batch, view: MemoryView | None) -> HeadOutput:
        """The head's output for a batch; the memory does not change."""
        return self.infer(encode(self.encoder, batch), view)

    def infer(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """The head's output in evaluation, with the channels that encoder and memory give then."""
        return self.output(encoded, view, returned.channels(self.memory, self.memory.infer(encoded), "infer"))

    def decode(self, output: HeadOutput) -> Predictions:
        """Predictions from a head's output in evaluation mode, by the head's own rule; padding is background."""
        return replace(decode(self.head, output), **unimodal_scores(output))

    def output(
        self, encoded: Encoded, view: MemoryView | None, observed: Mapping[Channel, Tensor] | None = None
    ) -> HeadOutput:
        """The head's output, given the channels of encoder and memory."""
        given = encoded.given() | dict(observed or {})
        mask = encoded.mask
        output = (
            self._answer(encoded, view) if mask is None else each_length(lambda p: self._answer(p, view), encoded, mask)
        )
        return replace(output.joined(given), mask=mask)

    def _answer(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        return returned.record(self.head, "forward", self.head(encoded, view), HeadOutput)

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Notify every part that an epoch begins."""
        for part in (self.encoder, self.memory, self.head, self.objective):
            part.begin_epoch(epoch, epochs)
