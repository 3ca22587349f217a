"""Pictures and weights for tests of visual extractors."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import torch
from torch import nn

from avelzoo.weights.store import WeightStore

OFFLINE = WeightStore(offline=True)


def picture(height: int = 60, width: int = 80, seed: int = 0) -> np.ndarray:
    """A random smooth picture."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 5, 3)).astype(np.float32)
    rows = np.linspace(0, 3, height).astype(int)
    columns = np.linspace(0, 4, width).astype(int)
    return coarse[rows][:, columns].astype(np.uint8)


def segments(extractor, *pictures: np.ndarray) -> np.ndarray:
    """One segment of prepared frames."""
    return np.stack([extractor.sampling.prepare(one) for one in pictures])[None]


def save(network: nn.Module, path: Path) -> Path:
    """The network's state dict as a file."""
    torch.save(network.state_dict(), path)
    return path


def save_keras(network: nn.Sequential, path: Path, *, names: tuple[str, str] = ("W_1:0", "b_1:0")) -> Path:
    """VGG-19's convolutions in the layout of Keras, with the dense layers that are not read."""
    convolutions = [layer for layer in network if isinstance(layer, nn.Conv2d)]
    blocks = [(b, c) for b, count in enumerate((2, 2, 4, 4, 4), 1) for c in range(1, count + 1)]
    with h5py.File(path, "w") as file:
        for (b, c), layer in zip(blocks, convolutions, strict=True):
            group = file.create_group(f"block{b}_conv{c}")
            group[f"block{b}_conv{c}_{names[0]}"] = layer.weight.detach().numpy().transpose(2, 3, 1, 0)
            group[f"block{b}_conv{c}_{names[1]}"] = layer.bias.detach().numpy()
        file.create_group("block1_pool")
        file["fc1/fc1_W_1:0"] = np.zeros((3, 2), np.float32)
    return path
