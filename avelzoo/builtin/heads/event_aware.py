"""The event-aware double branch over a memory (Ge et al. 2023, sec. 3.4.3-5 and 3.6)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import Tensor

from avelzoo.builtin.heads.branches import Classifier, decide
from avelzoo.contracts import Head
from avelzoo.nn import pairwise_distance
from avelzoo.nn.decision import Decision
from avelzoo.records import Encoded, HeadOutput, MemoryView, Metric, Predictions

if TYPE_CHECKING:
    from avelzoo.builtin.heads.configs import EventAwareConfig

UNREACHABLE = 1e4
"""Distance to a category without filled slots; finite, so that a softmax over such categories stays finite."""


class EventAware(Head):
    """Category from distances to prototypes, relevance from the distance to the category's anchors.

    With c_k the prototypes, B^k_q the slots of the memory's view, and dist(x, y) = ||x - y|| / sqrt(d)::

        prototype logits  pi_{t,k} = -||F_t - c_k|| / tau                                    eq. 6
        category          k* = argmin_k mean_t dist(F_t, c_k)                                eq. 20
        relevance         alpha_t = min_q dist(F_t, B^{k*}_q), an event where alpha_t < m    eq. 21
                          r_t = sigmoid(s (m - alpha_t)), s fitted on val (ours)

    ``prototype_distance`` and ``margin_distance`` select plain or scaled distances. tau = 1 (sec. 4.1.3) fits plain
    distances: scaled distances are at most 2, and a softmax of them over n categories cannot saturate. The margins 0.5
    to 1.1 (fig. 5b) fit scaled distances, because fused rows have length sqrt(d).

    The linear classifiers of sec. 3.4.5 shape the embedding in training. In evaluation, the weak setting of the public
    code adds their softmax to the softmax of the prototypes (``event_from``).

    Args:
        config: the options.
        n: event categories.
        width: d.
    """

    decision: Decision

    def __init__(self, config: EventAwareConfig, *, n: int, width: int) -> None:
        super().__init__()
        self.temperature = config.temperature
        self.with_classifier = config.event_from == "prototypes+classifier"
        scales = {"scaled": 1 / math.sqrt(width), "plain": 1.0}
        self.prototype_scale = scales[config.prototype_distance]
        self.metric = Metric(scale=scales[config.margin_distance], margin=config.margin)
        use_tuned = config.threshold_from == "val"
        self.decision = Decision(origin=-config.margin, use_tuned=use_tuned, distances=True)
        self.event = Classifier(width, n, config.dropout, config.dropout_at)
        self.relevance = Classifier(width, 1, config.dropout, config.dropout_at)

    def estimate(self, encoded: Encoded) -> Tensor:
        """(b t), sigmoid(l^r_t) of eq. 12."""
        return self.relevance.probability(encoded.fused).squeeze(-1)

    def forward(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """(b t d) and (n l d) -> event, relevance and prototype logits; in evaluation also the nearest anchors."""
        assert view is not None, "the composition check guarantees a memory"
        features = encoded.fused
        distance = pairwise_distance(features, view.prototypes().unsqueeze(0), self.prototype_scale)
        distance = distance.masked_fill(~view.usable, UNREACHABLE)
        event_logits = self.event(features, pooling="mean")
        prototype_logits = -distance / self.temperature
        nearest = None
        if not self.training:
            category = self._category_scores(prototype_logits, event_logits).argmax(dim=-1)
            nearest = self._nearest_anchor(features, view, category)
        return HeadOutput(
            event_logits=event_logits,
            relevance_logits=self.relevance(features).squeeze(-1),
            prototype_logits=prototype_logits,
            nearest_anchor=nearest,
            embedding=features,
            metric=self.metric,
        )

    def decode(self, output: HeadOutput) -> Predictions:
        """The category of the nearest prototype in segments within the margin of its anchors, background elsewhere."""
        assert output.prototype_logits is not None and output.event_logits is not None
        if output.nearest_anchor is None:
            raise RuntimeError("decode needs an output computed in evaluation mode")
        scores = self._category_scores(output.prototype_logits, output.event_logits)
        return decide(scores, -output.nearest_anchor, self.decision)

    def _category_scores(self, prototype_logits: Tensor, event_logits: Tensor) -> Tensor:
        """(b t n), (b n) -> (b n): mean prototype logits, or their softmax plus the classifier's."""
        mean = prototype_logits.mean(dim=1)
        if not self.with_classifier:
            return mean
        return mean.softmax(dim=-1) + event_logits.float().softmax(dim=-1)

    def _nearest_anchor(self, features: Tensor, view: MemoryView, category: Tensor) -> Tensor:
        """alpha (b t): distance to the nearest filled slot of each video's category."""
        distance = pairwise_distance(features, view.items[category], self.metric.scale)
        return distance.masked_fill(~view.filled[category].unsqueeze(1), UNREACHABLE).amin(dim=-1)
