"""Decoded frames: checked and resized, one at a time."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from avelzoo.errors import DataError


def require_rgb(frame: np.ndarray) -> np.ndarray:
    """The frame, if it is RGB in uint8.

    Raises:
        DataError: the frame is grey, has alpha or is not uint8.
    """
    if frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape or frame.dtype != np.uint8:
        raise DataError(
            "a frame is not an RGB picture",
            found=f"{frame.dtype} {tuple(frame.shape)}",
            expected="uint8 (h w 3), without alpha",
            fix="convert the frame to RGB first",
        )
    return frame


def bilinear(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """Squash a frame to height x width: bilinear without antialiasing, rounded to uint8 levels (height width 3).

    Equal to PyTorch's ``interpolate`` with ``align_corners=False`` and rounding; from OpenCV's default levels differ by
    1 at most. Only the pixels that are used are converted to float, so large frames cost no more than small ones.

    Raises:
        DataError: the frame is not RGB in uint8.
    """
    require_rgb(frame)
    top, bottom, down = _neighbours(frame.shape[0], height)
    left, right, across = _neighbours(frame.shape[1], width)
    down, across = down[:, None, None], across[None, :, None]
    upper, lower = (rows[:, left] * (1 - across) + rows[:, right] * across for rows in (frame[top], frame[bottom]))
    levels: np.ndarray = np.rint(upper * (1 - down) + lower * down).astype(np.uint8)
    return levels


def _neighbours(size: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two source pixels of each target pixel and the weight of the second; pixel centres are at half-integers."""
    centres = (np.arange(target, dtype=np.float32) + np.float32(0.5)) * np.float32(size / target) - np.float32(0.5)
    centres = np.maximum(centres, 0)
    first = np.minimum(centres.astype(np.int64), size - 1)
    return first, np.minimum(first + 1, size - 1), (centres - first).astype(np.float32)


def averaged(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """Squash a frame to height x width: bilinear with antialiasing, in uint8 levels (height width 3).

    Raises:
        DataError: the frame is not RGB in uint8.
    """
    pixels = torch.from_numpy(np.require(require_rgb(frame), requirements="W"))
    small = F.interpolate(
        pixels.permute(2, 0, 1).unsqueeze(0), (height, width), mode="bilinear", align_corners=False, antialias=True
    )
    array: np.ndarray = small[0].permute(1, 2, 0).contiguous().numpy()
    return array
