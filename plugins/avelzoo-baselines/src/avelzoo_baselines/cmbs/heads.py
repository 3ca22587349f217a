"""The heads of CMBS: event-level background suppression by class activation sequences."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from avelzoo import Encoded, Head, HeadOutput, MemoryView, Predictions
from avelzoo.nn import decode_branches
from avelzoo_baselines.channels import (
    AUDIO_GATE,
    AUDIO_STREAM,
    JOINT_GATE,
    MEAN_GATE,
    STREAM_LOGITS,
    VISUAL_GATE,
    VISUAL_STREAM,
)
from avelzoo_baselines.shared.gated import decode_video, video_output


class ActivationSequences(nn.Module):
    """Class activations of both gated streams: W_v o_v + b_v and W_a o_a + b_a.

    Args:
        width: d.
        classes: n or n+1.
    """

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.visual = nn.Linear(width, classes)
        self.audio = nn.Linear(width, classes)

    def forward(self, encoded: Encoded) -> tuple[Tensor, Tensor]:
        """Streams (b t d) -> visual and audio activations (b t classes)."""
        return self.visual(encoded[VISUAL_STREAM]), self.audio(encoded[AUDIO_STREAM])


def mean_of_top(sequence: Tensor, top: int) -> Tensor:
    """(b t c) -> (b c): mean of the ``top`` largest values over t, or of all if there are fewer."""
    return sequence.topk(min(top, sequence.shape[1]), dim=1).values.mean(dim=1)


def video_activations(sequences: tuple[Tensor, Tensor], top: int) -> Tensor:
    """(b t n) twice -> (b n): mean of both streams' `mean_of_top`."""
    return (mean_of_top(sequences[0], top) + mean_of_top(sequences[1], top)) / 2


def joint_gate(encoded: Encoded) -> Tensor:
    """g_a g_v (b t): both streams hold the segment for an event."""
    return encoded[AUDIO_GATE] * encoded[VISUAL_GATE]


class CmbsHead(Head):
    """r_t = W_r F_t + b_r, e = W_e max_t F_t + b_e + gamma s with s the streams' mean class activation.

    s = (mean of top W_v o_v + mean of top W_a o_a) / 2 over the segments. Channels: joint_gate (b t) and
    stream_logits s (b n).

    Args:
        n: event categories.
        width: d.
        top: segments that count in an activation sequence.
        stream_weight: gamma.
    """

    def __init__(self, *, n: int, width: int, top: int, stream_weight: float) -> None:
        super().__init__()
        self.top, self.stream_weight = top, stream_weight
        self.relevance = nn.Linear(width, 1)
        self.event = nn.Linear(width, n)
        self.activations = ActivationSequences(width, n)

    def forward(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """(b t d) -> relevance_logits (b t), event_logits (b n)."""
        streams = video_activations(self.activations(encoded), self.top)
        return HeadOutput(
            event_logits=self.event(encoded.fused.amax(dim=1)) + self.stream_weight * streams,
            relevance_logits=self.relevance(encoded.fused).squeeze(-1),
            channels={JOINT_GATE: joint_gate(encoded), STREAM_LOGITS: streams},
        )

    def decode(self, output: HeadOutput) -> Predictions:
        """The category's arg-max where the relevance exceeds one half."""
        assert output.event_logits is not None and output.relevance_logits is not None
        relevance = output.relevance_logits.sigmoid()
        return decode_branches(output.event_logits, relevance, relevance > 0.5)


class CmbsWeakHead(Head):
    """c_t = gamma (sigmoid(w_v) + sigmoid(w_a)) * W F_t over n+1 classes, l = mean of top c, p = softmax(max_t g_t l).

    g = (g_a + g_v) / 2 is the relevance; no classifier of its own. Decoding asks g_t > 1/2. The public code squashes
    g once more before it asks (``squash``), which g in (0, 1) always passes: every segment is then of the video's
    class.

    Args:
        n: event categories.
        width: d.
        top: segments that count.
        stream_weight: gamma.
        squash: decode by sigmoid(g), as the public code does.
    """

    def __init__(self, *, n: int, width: int, top: int, stream_weight: float, squash: bool) -> None:
        super().__init__()
        self.top, self.stream_weight, self.squash = top, stream_weight, squash
        self.activations = ActivationSequences(width, n + 1)
        self.classifier = nn.Conv1d(width, n + 1, 1, bias=False)

    def forward(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """(b t d) -> relevance_logits (b t), event_logits (b n).

        Channels: video_logits and video_probabilities (b n+1), mean_gate (b t).
        """
        visual, audio = self.activations(encoded)
        classes = self.classifier(encoded.fused.transpose(1, 2)).transpose(1, 2)
        suppressed = self.stream_weight * (visual.sigmoid() + audio.sigmoid()) * classes
        gate = (encoded[AUDIO_GATE] + encoded[VISUAL_GATE]) / 2
        # A gate of exactly 1, which half precision rounds to, has no logit.
        relevance = gate.to(torch.promote_types(gate.dtype, torch.float32)).logit(eps=1e-6)
        output = video_output(mean_of_top(suppressed, self.top), relevance, gate=gate)
        return output.joined({MEAN_GATE: gate})

    def decode(self, output: HeadOutput) -> Predictions:
        """The video's class, background included, where the relevance exceeds one half."""
        gate = output[MEAN_GATE]
        relevance = gate.sigmoid() if self.squash else gate
        return decode_video(output, relevance, relevance > 0.5)
