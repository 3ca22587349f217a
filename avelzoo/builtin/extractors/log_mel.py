"""Statistics of log-mel bands: an audio extractor without weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from avelzoo.builtin.extractors.audio import AudioExtractor
from avelzoo.builtin.extractors.front_ends import RATE, WINDOW, FramedLogMel


class LogMelStatistics(nn.Module):
    """Mean and standard deviation over time of every log-mel band: (b samples) -> (b 2 * bands).

    Args:
        bands: number of mel bands.
    """

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.front_end = FramedLogMel(bands=bands, offset=0.01)

    def forward(self, waves: Tensor) -> Tensor:
        """(b n) -> (b 2 * bands): means, then deviations."""
        frames = self.front_end(waves)
        return torch.cat((frames.mean(1), frames.std(1, correction=0)), dim=-1)


def log_mel(bands: int, *, device: str, precision: str) -> AudioExtractor:
    """The extractor. Everything in it is computed in float32, so its recipe has no precision."""
    module = LogMelStatistics(bands)
    recipe = {"encoder": "log-mel", **module.front_end.recipe(), "statistics": "mean, deviation over time"}
    return AudioExtractor(
        module, width=2 * bands, rate=RATE, shortest=WINDOW, recipe=recipe, device=device, precision=precision
    )
