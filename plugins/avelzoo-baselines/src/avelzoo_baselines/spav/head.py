"""A head that answers with one span of segments."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from avelzoo import Encoded, Head, HeadOutput, MemoryView, Predictions
from avelzoo.nn import decode_branches
from avelzoo_baselines.channels import CLASS_TOKEN, SPAN_LOGITS


class Span(Head):
    """l^e = W_e h_cls, l^r_t = w_r h_t, span logits over t positions and a null one.

    (start_t, end_t) = W_s [h_t; sigmoid(l^r_t)], (start_0, end_0) = W_0 h_cls for no event. The answer is the span
    s <= e with the largest start_s + end_e, or no event where start_0 + end_0 is larger; all spans are tried. Without
    labels to train starts and ends, it is the span with the largest sum of sigmoid(l^r_t) - 1/2, if that is positive.
    An encoder without a class token gives the mean of its segments in its place.

    Args:
        n: event categories.
        width: d.
        by_span: answer with a span; else with every segment of relevance above one half.
        supervised: whether starts and ends are trained.
    """

    def __init__(self, *, n: int, width: int, by_span: bool, supervised: bool) -> None:
        super().__init__()
        self.by_span, self.supervised = by_span, supervised
        self.event = nn.Linear(width, n)
        self.relevance = nn.Linear(width, 1)
        self.ends = nn.Linear(width + 1, 2) if supervised else None
        self.null = nn.Linear(width, 2) if supervised else None

    def forward(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """(b t d) -> event_logits (b n), relevance_logits (b t), span_logits (b t+1 2), null last."""
        token = encoded[CLASS_TOKEN] if CLASS_TOKEN in encoded else encoded.fused.mean(dim=1)
        relevance = self.relevance(encoded.fused)
        channels = {}
        if self.ends is not None and self.null is not None:
            placed = self.ends(torch.cat([encoded.fused, relevance.sigmoid()], dim=-1))
            channels[SPAN_LOGITS] = torch.cat([placed, self.null(token).unsqueeze(1)], dim=1)
        return HeadOutput(event_logits=self.event(token), relevance_logits=relevance.squeeze(-1), channels=channels)

    def decode(self, output: HeadOutput) -> Predictions:
        """The video's category in the best span."""
        assert output.event_logits is not None and output.relevance_logits is not None
        relevance = output.relevance_logits.float().sigmoid()
        inside = relevance > 0.5
        if self.by_span and self.supervised:
            logits = output[SPAN_LOGITS].float()
            start, end = logits[:, :-1, 0], logits[:, :-1, 1]
            inside = best_span(start.unsqueeze(2) + end.unsqueeze(1), logits[:, -1].sum(dim=-1))
        elif self.by_span:
            sums = torch.cumsum(relevance - 0.5, dim=1)
            before = torch.cat([sums.new_zeros(sums.shape[0], 1), sums[:, :-1]], dim=1)
            inside = best_span(sums.unsqueeze(1) - before.unsqueeze(2), sums.new_zeros(sums.shape[0]))
        return decode_branches(output.event_logits, relevance, inside)


def best_span(scores: Tensor, null: Tensor) -> Tensor:
    """(b t) bool: the segments of the best span s..e, none where the null score is at least as large.

    Args:
        scores: (b t t), of the span from s (second axis) to e (third axis); only s <= e counts.
        null: (b), score of no span.
    """
    t = scores.shape[1]
    at = torch.arange(t, device=scores.device)
    allowed = at.unsqueeze(1) <= at.unsqueeze(0)
    flat = scores.masked_fill(~allowed, float("-inf")).flatten(1)
    best, index = flat.max(dim=1)
    start, end = index // t, index % t
    inside = (at >= start.unsqueeze(1)) & (at <= end.unsqueeze(1))
    return inside & (best > null).unsqueeze(1)
