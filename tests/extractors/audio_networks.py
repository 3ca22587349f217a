"""Random weights and references in NumPy for tests of audio networks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

STRIDES = {0: (), 1: (1,), 2: (3, 1), 4: (11, 7, 3, 1)}


def random_state(network: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """Weights that keep the scale of activations, and statistics of normalisation that are not 0 and 1.

    Large tensors are views of a few thousand numbers in which every index counts, so files are small.
    """
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, like in network.state_dict().items():
        strides = STRIDES[like.ndim]
        count = 1 + sum((n - 1) * stride for n, stride in zip(like.shape, strides, strict=True))
        noise = torch.empty(count).uniform_(-1, 1, generator=generator)
        if like.ndim >= 2:
            noise *= (6 / like[0].numel()) ** 0.5
        elif name.endswith(("running_var", "weight")):
            noise = 1 + 0.3 * noise
        else:
            noise *= 0.1
        state[name] = noise.as_strided(like.shape, strides) if like.ndim else torch.tensor(7)
    return state


def sine(segments: int, samples: int, rate: int = 16000) -> np.ndarray:
    """Tones with noise, another pitch in each segment."""
    rng = np.random.default_rng(0)
    t = np.arange(samples) / rate
    tones = [np.sin(2 * np.pi * (300 + 250 * i) * t) for i in range(segments)]
    return (0.3 * np.stack(tones) + 0.05 * rng.standard_normal((segments, samples))).astype(np.float32)


def convolved(maps: np.ndarray, weight: np.ndarray, bias: np.ndarray | float = 0.0) -> np.ndarray:
    """3 x 3 convolution of a map (c h w) with a border of zeros, in float64."""
    _, h, w = maps.shape
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
    found = sum(
        np.einsum("dc,chw->dhw", weight[:, :, i, j], padded[:, i : i + h, j : j + w], optimize=True)
        for i in range(3)
        for j in range(3)
    )
    return found + np.reshape(bias, (-1, 1, 1))


def pooled(maps: np.ndarray, reduce) -> np.ndarray:
    """2 x 2 pooling of a map (c h w); an odd row or column at the end is dropped."""
    c, h, w = maps.shape
    return reduce(maps[:, : h // 2 * 2, : w // 2 * 2].reshape(c, h // 2, 2, w // 2, 2), axis=(2, 4))


class Weights:
    """A state dict as arrays in float64, one at a time."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        self._state = state

    def __getitem__(self, name: str) -> np.ndarray:
        return self._state[name].double().numpy()
