"""The public network for audio-visual video parsing around the same pyramid; for comparison, not for AVE."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo_baselines.mm_pyramid.pyramid import Pyramid

FRAMES = 8
"""Frames per segment of the image features."""


class ParsingNetwork(nn.Module):
    """Stem, pyramid and attentive pooling of JustinYuu/MM_Pyramid's ``AVVPNet``.

    With s, r the segments' image and motion features and a their audio::

        v = W [mean_8 W_s s; W_r r],  (V, A) = Pyramid(v, W_a a),  x = the two streams V, A
        p = sigmoid(W_p x)                                       segment probabilities
        T = softmax_t(W_t x),  M = softmax_streams(W_m x)
        video = sum_t,m T M p,  first stream = sum_t T p of V,  second stream = sum_t T p of A

    The public code names the first stream audio and the second visual, although V comes first; their labels are
    exchanged in its loss and in its evaluation.

    Args:
        pyramid: the pyramid.
        width: its channels d.
        audio_dim: channels of the audio.
        image_dim: channels of the image features.
        motion_dim: channels of the motion features.
        classes: c, of which several may hold at once.
    """

    def __init__(
        self, pyramid: Pyramid, *, width: int, audio_dim: int, image_dim: int, motion_dim: int, classes: int
    ) -> None:
        super().__init__()
        self.pyramid = pyramid
        self.audio_in = nn.Linear(audio_dim, width)
        self.image_in = nn.Linear(image_dim, width)
        self.motion_in = nn.Linear(motion_dim, width)
        self.visual_in = nn.Linear(2 * width, width)
        self.probability = nn.Linear(width, classes)
        self.time_attention = nn.Linear(width, classes)
        self.stream_attention = nn.Linear(width, classes)

    def forward(self, audio: Tensor, image: Tensor, motion: Tensor) -> dict[str, Tensor]:
        """(b t a), (b 8t i), (b t m) -> the public code's values by name, segments (b t 2 c), videos (b c)."""
        frames = self.image_in(image).unflatten(1, (-1, FRAMES)).mean(dim=2)
        visual = self.visual_in(torch.cat([frames, self.motion_in(motion)], dim=-1))
        first, second = self.pyramid(visual, self.audio_in(audio))
        streams = torch.stack([first, second], dim=2)
        prob, in_time, in_stream = (
            layer(streams) for layer in (self.probability, self.time_attention, self.stream_attention)
        )
        probabilities = prob.sigmoid()
        pooled = in_time.softmax(dim=1) * probabilities
        per_stream = pooled.sum(dim=1)
        return {
            "pyramid_first": first,
            "pyramid_second": second,
            "prob_logits": prob,
            "frame_att_logits": in_time,
            "av_att_logits": in_stream,
            "global_prob": (pooled * in_stream.softmax(dim=2)).sum(dim=(1, 2)),
            "a_prob": per_stream[:, 0],
            "v_prob": per_stream[:, 1],
            "frame_prob": probabilities,
        }


def decoded(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Labels (b t c) of both streams: where the segment and the video reach one half."""
    holds = (values["frame_prob"] >= 0.5) & (values["global_prob"] >= 0.5)[:, None, None]
    first, second = holds.long().unbind(dim=2)
    return {"decoded_audio": first, "decoded_visual": second}


def losses(values: Mapping[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
    """Binary cross-entropies of both streams and of the video; the second stream's labels are smoothed by 0.1."""
    smooth = {"loss_audio": labels, "loss_visual": 0.9 * labels + 0.05, "loss_global": labels}
    names = {"loss_audio": "a_prob", "loss_visual": "v_prob", "loss_global": "global_prob"}
    found = {
        loss: F.binary_cross_entropy(values[name].clamp(1e-7, 1 - 1e-7), smooth[loss]) for loss, name in names.items()
    }
    return found | {"loss_total": found["loss_audio"] + found["loss_visual"] + found["loss_global"]}
