"""Features that are scores of the categories already."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from avelzoo.channels import AUDIO_SCORES, VISUAL_SCORES
from avelzoo.contracts import Encoder
from avelzoo.records import Encoded, Widths


class GivenScores(Encoder):
    """Channel k of the sound, and of the mean over the picture's grid, is the score of category k; F = sqrt(A V).

    Scores are clipped to [0, 1]; channels after the n-th are ignored, missing ones are 0. There are no parameters.

    Args:
        n: event categories.
    """

    def __init__(self, n: int) -> None:
        super().__init__()
        self.widths = Widths(fused=n, audio=n, visual=n)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded of width n, with both scores as channels."""
        heard, seen = self._scores(audio), self._scores(visual.mean(dim=(2, 3)))
        fused = (heard * seen).sqrt()
        return Encoded(fused=fused, audio=heard, visual=seen, channels={AUDIO_SCORES: heard, VISUAL_SCORES: seen})

    def _scores(self, features: Tensor) -> Tensor:
        n = self.widths.fused
        return F.pad(features[..., :n], (0, max(0, n - features.shape[-1]))).clamp(0, 1)
