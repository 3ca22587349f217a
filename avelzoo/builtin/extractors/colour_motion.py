"""Colour and motion of a grid's cells: a visual extractor without weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from avelzoo.builtin.extractors.resizing import averaged
from avelzoo.extractors import Extractor, FeatureRecipe, FrameSampling, Modality

if TYPE_CHECKING:
    from avelzoo.builtin.extractors.visual_configs import ColourMotionConfig

CELL = 8
"""Pixels per side of a cell after resizing."""
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


class ColourMotion(Extractor):
    """Eight numbers per cell: mean and deviation of R, G, B; mean and largest motion.

    With x the frames in [0, 1], resized to 8 x 8 pixels per cell, and g their grey levels: means and deviations are
    over the pixels and frames of a cell; motion of a pair of successive frames is the mean of |g' - g| over the cell's
    pixels. A segment of one frame has motion 0.
    """

    modality: Modality = "visual"

    def __init__(self, config: ColourMotionConfig) -> None:
        h, w = config.grid
        self.shape = (h, w, 8)
        self.sampling = FrameSampling(
            per_segment=config.frames, prepare=lambda frame: averaged(frame, h * CELL, w * CELL)
        )
        self.recipe: FeatureRecipe = {
            "encoder": "colour-motion",
            "frames": config.frames,
            "grid": [h, w],
            "cell": CELL,
            "resize": "squash, bilinear, antialiased, uint8",
        }

    def features(self, segments: np.ndarray) -> np.ndarray:
        """Features (b h w 8) of b segments of k frames (b k 8h 8w 3), uint8."""
        found = np.zeros((len(segments), *self.shape), np.float32)
        for i, frames in enumerate(segments):
            found[i] = self._segment(frames)
        return found

    def _segment(self, frames: np.ndarray) -> np.ndarray:
        h, w, _ = self.shape
        levels = frames.astype(np.float32).reshape(len(frames), h, CELL, w, CELL, 3) / 255
        found = np.zeros(self.shape, np.float32)
        found[..., :3] = levels.mean((0, 2, 4))
        found[..., 3:6] = levels.std((0, 2, 4))
        if len(frames) > 1:
            motion = np.abs(np.diff(levels @ _GREY, axis=0)).mean((2, 4))
            found[..., 6] = motion.mean(0)
            found[..., 7] = motion.max(0)
        return found
