"""The weak double branch of CMRAN: categories of the video, gated by each segment's relevance."""

from __future__ import annotations

from torch import Tensor, nn

from avelzoo import Decoded, Encoded, Head, MemoryView, Predictions
from avelzoo.nn import decode_branches


class GatedDouble(Head):
    """r_t = W_r F_t + b_r, c = W_c max_t F_t + b_c over n+1 classes, p = softmax(max_t sigmoid(r_t) c).

    The maximum takes a positive logit's largest gate and a negative one's smallest. Only p is trained; r learns through
    the gates. A segment is an event where sigmoid(r_t) > threshold, of category argmax c, which may be background.
    (CMRAN's public code, weak model.)

    Args:
        n: event categories.
        width: d.
        threshold: of the relevance.
    """

    def __init__(self, *, n: int, width: int, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold
        self.relevance = nn.Linear(width, 1)
        self.category = nn.Linear(width, n + 1)

    def forward(self, encoded: Encoded, view: MemoryView | None) -> Predictions:
        """(b t d) -> relevance_logits (b t), event_logits (b n); extras video_logits, video_probabilities (b n+1)."""
        relevance = self.relevance(encoded.fused).squeeze(-1)
        category = self.category(encoded.fused.amax(dim=1))
        return video_predictions(encoded, category, relevance, gate=relevance.sigmoid())

    def decode(self, predictions: Predictions) -> Decoded:
        """The video's category, background included, where the relevance exceeds the threshold."""
        assert predictions.relevance_logits is not None
        relevance = predictions.relevance_logits.sigmoid()
        return decode_video(predictions, relevance, relevance > self.threshold)


def video_predictions(encoded: Encoded, category: Tensor, relevance: Tensor, *, gate: Tensor) -> Predictions:
    """Predictions of a head whose video has n+1 classes: p = softmax(max_t gate_t category).

    Args:
        encoded: whose extras go on.
        category: (b n+1), logits.
        relevance: (b t), logits.
        gate: (b t).
    """
    gated = gate.unsqueeze(-1) * category.unsqueeze(1)
    extras = {"video_logits": category, "video_probabilities": gated.amax(dim=1).softmax(dim=-1)}
    return Predictions(event_logits=category[:, :-1], relevance_logits=relevance, extras={**encoded.extras, **extras})


def decode_video(predictions: Predictions, relevance: Tensor, is_event: Tensor) -> Decoded:
    """The best of n+1 classes where a segment is an event; a video whose best class is background has no event at all.

    Args:
        predictions: with ``video_logits`` (b n+1) among the extras.
        relevance: (b t) in [0, 1].
        is_event: (b t) bool.
    """
    logits = predictions.extras["video_logits"]
    n = logits.shape[-1] - 1
    has_event = (logits.argmax(dim=-1) != n).unsqueeze(1)
    return decode_branches(logits.softmax(dim=-1)[:, :n], relevance, is_event & has_event)
