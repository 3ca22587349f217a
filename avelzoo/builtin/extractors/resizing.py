"""Decoded frames: checked and resized, one at a time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from avelzoo.errors import DataError


def as_tensor(frame: np.ndarray) -> Tensor:
    """The frame (h w 3) as a tensor (3 h w) of uint8; shares memory where it can.

    Raises:
        DataError: the frame is not RGB in uint8.
    """
    if frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape or frame.dtype != np.uint8:
        raise DataError(
            "a frame is not an RGB picture",
            found=f"{frame.dtype} {tuple(frame.shape)}",
            expected="uint8 (h w 3), without alpha",
            fix="convert the frame to RGB first",
        )
    return torch.from_numpy(frame if frame.flags.writeable else frame.copy()).permute(2, 0, 1)


def bilinear(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """Squash a frame to height x width: bilinear without antialiasing, rounded to uint8 levels (height width 3).

    Pixel centres are at half-integers, as in OpenCV's default; levels differ from OpenCV's by 1 at most.

    Raises:
        DataError: the frame is not RGB in uint8.
    """
    pixels = as_tensor(frame).unsqueeze(0).float()
    small = F.interpolate(pixels, (height, width), mode="bilinear", align_corners=False, antialias=False)
    return _levels(small)


def averaged(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """Squash a frame to height x width: bilinear with antialiasing, rounded to uint8 levels (height width 3).

    Raises:
        DataError: the frame is not RGB in uint8.
    """
    pixels = as_tensor(frame).unsqueeze(0)
    small = F.interpolate(pixels, (height, width), mode="bilinear", align_corners=False, antialias=True)
    return _levels(small)


def _levels(pixels: Tensor) -> np.ndarray:
    rounded = pixels if pixels.dtype == torch.uint8 else pixels.round_().clamp_(0, 255).to(torch.uint8)
    array: np.ndarray = rounded[0].permute(1, 2, 0).contiguous().numpy()
    return array
