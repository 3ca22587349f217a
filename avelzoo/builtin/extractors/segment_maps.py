"""Mean map of a segment's frames by a convolutional or transformer network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from avelzoo.builtin.extractors.devices import number_format, require_device, require_precision
from avelzoo.errors import DataError

FrameMaps = Callable[[Tensor], Tensor]
"""Maps (k h w v) of normalised frames (k 3 H W)."""

_GPU_FRAMES = 64


class SegmentMaps:
    """Normalises frames, runs a network on them, takes the mean over the frames of each segment.

    On a CPU the frames of one segment are one batch, so a segment's features do not depend on other segments in any
    bit; on a GPU several short segments share a batch.

    Args:
        maps: the network.
        shape: (h w v) of its result.
        size: height and width of its frames.
        mean: mean of each channel, subtracted from levels in [0, 1], in the order of the network's channels.
        std: divisor of each channel.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``32`` or ``bf16``.
        reverse: whether the network takes BGR.
        grid: height and width of the pooled map; None for the network's own.

    Raises:
        UsageError: this machine has no such device, or the number format is unknown.
    """

    def __init__(
        self,
        maps: FrameMaps,
        *,
        shape: tuple[int, int, int],
        size: tuple[int, int],
        mean: Sequence[float],
        std: Sequence[float],
        device: str,
        precision: str,
        reverse: bool = False,
        grid: tuple[int, int] | None = None,
    ) -> None:
        self._maps = maps
        self._shape = shape
        self._size = size
        self.device = require_device(device)
        self._precision = require_precision(precision)
        self._mean = torch.tensor(mean, device=self.device).view(1, -1, 1, 1)
        self._std = torch.tensor(std, device=self.device).view(1, -1, 1, 1)
        self._reverse = reverse
        self._grid = grid

    def __call__(self, segments: np.ndarray) -> np.ndarray:
        """Features (b h w v) of segments (b k H W 3), uint8.

        Raises:
            DataError: the frames are not prepared ones.
        """
        if segments.ndim != 5 or segments.shape[2:] != (*self._size, 3) or segments.dtype != np.uint8:
            raise DataError(
                "frames are not prepared for this extractor",
                found=f"{segments.dtype} {segments.shape}",
                expected=f"uint8 (b k {self._size[0]} {self._size[1]} 3)",
                fix="pass each frame through `sampling.prepare`",
            )
        b, k = segments.shape[:2]
        if b == 0:
            return np.zeros((0, *(self._grid or self._shape[:2]), self._shape[2]), np.float32)
        step = 1 if self.device.type == "cpu" else max(1, _GPU_FRAMES // k)
        found = [self._mean_maps(segments[i : i + step]) for i in range(0, b, step)]
        return np.concatenate(found)

    @torch.inference_mode()
    def _mean_maps(self, segments: np.ndarray) -> np.ndarray:
        b, k = segments.shape[:2]
        levels = np.require(segments, requirements=("C", "W"))  # PyTorch refuses arrays that are read-only
        frames = torch.from_numpy(levels).to(self.device).flatten(0, 1).permute(0, 3, 1, 2)
        if self._reverse:
            frames = frames.flip(1)
        inputs = frames.float().div_(255).sub_(self._mean).div_(self._std)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        with number_format(self.device, self._precision):
            maps = self._maps(inputs)
        means = maps.float().reshape(b, k, *maps.shape[1:]).mean(1)
        if self._grid is not None:
            means = F.adaptive_avg_pool2d(means.permute(0, 3, 1, 2), self._grid).permute(0, 2, 3, 1)
        array: np.ndarray = means.contiguous().cpu().numpy()
        return array
