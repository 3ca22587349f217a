"""Weights of VGG-19's convolutions, from files of Keras, torchvision or timm."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import Tensor, nn

from avelzoo.builtin.extractors.state_dicts import misfit, read_state, require_finite
from avelzoo.errors import DataError, reason

WIDTHS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
"""Channels and number of convolutions of the five blocks."""
_NAME = re.compile(r"block(\d+)_conv(\d+)")
_HDF5 = b"\x89HDF\r\n\x1a\n"


def convolutions() -> nn.Sequential:
    """The convolutional part of VGG-19, under torchvision's indices: 16 convolutions, 20 M parameters."""
    layers: list[nn.Module] = []
    channels = 3
    for width, count in WIDTHS:
        for _ in range(count):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = width
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers)


def load_convolutions(path: Path) -> nn.Sequential:
    """The convolutional part with the weights in a file, in evaluation mode.

    Args:
        path: an h5 file of Keras, with or without its dense layers, or a state dict with ``features.*``.

    Raises:
        DataError: the file is damaged or holds the weights of another network.
    """
    with path.open("rb") as file:
        keras = file.read(len(_HDF5)) == _HDF5
    state = from_keras(path) if keras else _features(read_state(path))
    with torch.device("meta"):
        network = convolutions()
    wanted = dict(network.state_dict())
    if {name: tensor.shape for name, tensor in state.items()} != {name: t.shape for name, t in wanted.items()}:
        raise misfit(state, wanted, path, "VGG-19's convolutions")
    network.load_state_dict({name: tensor.float() for name, tensor in state.items()}, assign=True)
    return network.eval().requires_grad_(requires_grad=False)


def from_keras(path: Path) -> dict[str, Tensor]:
    """Convolutions of a Keras file, under torchvision's indices.

    Layers are found by the name of their group, kernels and biases by their rank, as Keras has changed the names of
    arrays. Kernels (h w in out) become (out in h w).

    Raises:
        DataError: the file cannot be read or lacks a convolution, or a weight is not finite.
    """
    found: dict[tuple[int, int, int], np.ndarray] = {}

    def visit(name: str, item: object) -> None:
        match = _NAME.search(name)
        if match and isinstance(item, h5py.Dataset) and item.ndim in (1, 4):
            found[int(match[1]), int(match[2]), item.ndim] = item[...]

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except (OSError, RuntimeError) as error:
        raise DataError(
            "the weights of VGG-19 cannot be read", where=str(path), found=reason(error), fix="get the file again"
        ) from error
    state = {}
    index = 0
    for block, (_, count) in enumerate(WIDTHS, 1):
        for conv in range(1, count + 1):
            kernel, bias = found.get((block, conv, 4)), found.get((block, conv, 1))
            if kernel is None or bias is None:
                raise DataError(
                    "the weights are not those of VGG-19",
                    where=str(path),
                    found=f"no {'kernel' if kernel is None else 'bias'} of block{block}_conv{conv}",
                    expected="groups block1_conv1 to block5_conv4 with a kernel and a bias each",
                    fix="choose the weights of VGG-19 as Keras distributes them",
                )
            state[f"{index}.weight"] = torch.from_numpy(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)))
            state[f"{index}.bias"] = torch.from_numpy(bias)
            index += 2
        index += 1
    return require_finite(state, path)


def _features(state: dict[str, Tensor]) -> dict[str, Tensor]:
    start = "features."
    return {name.removeprefix(start): tensor for name, tensor in state.items() if name.startswith(start)} or state
