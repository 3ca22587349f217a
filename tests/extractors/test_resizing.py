"""Resizing equals a reference that follows the definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from avelzoo.builtin.extractors.resizing import bilinear

SIZES = [(7, 9), (11, 5), (3, 4), (1, 1), (8, 6)]


def reference(frame, height, width):
    """Each target pixel on its own: the four source pixels around its centre."""
    h, w, _ = frame.shape
    out = np.zeros((height, width, 3))
    for i in range(height):
        for j in range(width):
            y = max(0.0, (i + 0.5) * h / height - 0.5)
            x = max(0.0, (j + 0.5) * w / width - 0.5)
            y0, x0 = int(y), int(x)
            y1, x1 = min(y0 + 1, h - 1), min(x0 + 1, w - 1)
            a, b = y - y0, x - x0
            out[i, j] = (1 - a) * ((1 - b) * frame[y0, x0] + b * frame[y0, x1]) + a * (
                (1 - b) * frame[y1, x0].astype(float) + b * frame[y1, x1]
            )
    return out


@pytest.mark.parametrize("size", SIZES)
def test_equals_the_definition(size):
    frame = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    expected = reference(frame, 8, 6)
    assert np.abs(bilinear(frame, 8, 6) - expected).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("size", [(427, 640), (720, 1280), (180, 320), (100, 3)])
def test_equals_pytorch(size):
    frame = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    pixels = torch.from_numpy(frame).permute(2, 0, 1)[None].float()
    expected = F.interpolate(pixels, (224, 224), mode="bilinear", align_corners=False)[0].permute(1, 2, 0)
    difference = np.abs(bilinear(frame, 224, 224) - expected.round().numpy())
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3  # levels that lie halfway


def test_a_view_of_a_frame_is_read_as_it_is():
    frame = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    assert np.array_equal(bilinear(frame[::2, ::-1], 8, 8), bilinear(frame[::2, ::-1].copy(), 8, 8))
