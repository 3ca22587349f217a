"""The weak double branch of CMRAN and CPSP: categories of the video, gated by each segment's relevance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from avelzoo import Encoded, Head, HeadOutput, MemoryView, Predictions
from avelzoo.nn import decode_branches
from avelzoo_baselines.channels import VIDEO_LOGITS, VIDEO_PROBABILITIES

if TYPE_CHECKING:
    from avelzoo_baselines.shared.configs import GatedDoubleConfig


class GatedDouble(Head):
    """r_t = W_r F_t + b_r, c = W_c pool_t F_t + b_c, p = softmax(max_t sigmoid(r_t) c).

    The maximum takes a positive logit's largest gate and a negative one's smallest. Only p is trained; r learns through
    the gates. A segment is an event where sigmoid(r_t) > threshold, of category argmax c. CMRAN's public weak model
    takes the maximum over t and has n+1 classes, so that a whole video may be background; CPSP's takes the mean and
    has n.

    Args:
        config: the options.
        n: event categories.
        width: d.
    """

    def __init__(self, config: GatedDoubleConfig, *, n: int, width: int) -> None:
        super().__init__()
        self.threshold, self.pooling, self.background = config.threshold, config.pooling, config.background
        self.relevance = nn.Linear(width, 1)
        self.category = nn.Linear(width, n + config.background)

    def forward(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """(b t d) -> relevance_logits (b t), event_logits (b n); video_logits, video_probabilities (b n(+1))."""
        relevance = self.relevance(encoded.fused).squeeze(-1)
        pooled = encoded.fused.amax(dim=1) if self.pooling == "max" else encoded.fused.mean(dim=1)
        gate = relevance.sigmoid()
        return video_output(self.category(pooled), relevance, gate=gate, background=self.background)

    def decode(self, output: HeadOutput) -> Predictions:
        """The video's category, background included, where the relevance exceeds the threshold."""
        assert output.relevance_logits is not None and output.event_logits is not None
        relevance = output.relevance_logits.sigmoid()
        is_event = relevance > self.threshold
        if self.background:
            return decode_video(output, relevance, is_event)
        return decode_branches(output.event_logits.softmax(dim=-1), relevance, is_event)


def video_output(category: Tensor, relevance: Tensor, *, gate: Tensor, background: bool = True) -> HeadOutput:
    """HeadOutput of a head whose video has n+1 classes, or n: p = softmax(max_t gate_t category).

    Args:
        category: (b n+1) or (b n), logits.
        relevance: (b t), logits.
        gate: (b t).
        background: the last class is background.
    """
    gated = gate.unsqueeze(-1) * category.unsqueeze(1)
    channels = {VIDEO_LOGITS: category, VIDEO_PROBABILITIES: gated.amax(dim=1).softmax(dim=-1)}
    event = category[:, :-1] if background else category
    return HeadOutput(event_logits=event, relevance_logits=relevance, channels=channels)


def decode_video(output: HeadOutput, relevance: Tensor, is_event: Tensor) -> Predictions:
    """The best of n+1 classes where a segment is an event; a video whose best class is background has no event at all.

    Args:
        output: with ``video_logits`` (b n+1).
        relevance: (b t) in [0, 1].
        is_event: (b t) bool.
    """
    logits = output[VIDEO_LOGITS]
    n = logits.shape[-1] - 1
    has_event = (logits.argmax(dim=-1) != n).unsqueeze(1)
    return decode_branches(logits.softmax(dim=-1)[:, :n], relevance, is_event & has_event)
