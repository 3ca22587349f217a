"""Weights of YAMNet from the variables of its SavedModel, and the names of its classes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from avelzoo.errors import DataError, reason, some
from avelzoo.weights.tensorflow import read_variables

EPSILON = 1e-4
"""Added to variances; there is no scale."""
_NAME = re.compile(r"(?:.*/)?layer_with_weights-(\d+)/(\w+)/\.ATTRIBUTES/VARIABLE_VALUE")

Layers = Mapping[int, Mapping[str, np.ndarray]]


def load_variables(convolutions: Iterable[nn.Module], linear: nn.Linear, *, index: Path, data: Path) -> None:
    """Load a network from a checkpoint with numbered layers: convolution 2 i, its normalisation 2 i + 1, classifier.

    Raises:
        DataError: a file is missing, damaged or of another network.
    """
    layers: dict[int, dict[str, np.ndarray]] = {}
    for name, values in read_variables(index, data).items():
        if match := _NAME.fullmatch(name):
            layers.setdefault(int(match[1]), {})[match[2]] = values
    convolved = list(convolutions)
    with torch.no_grad():
        for i, layer in enumerate(convolved):
            assert isinstance(layer, nn.Conv2d)
            _load_convolution(layer, layers, 2 * i, data)
        number = 2 * len(convolved)
        weight = _variable(layers, number, "kernel", tuple(reversed(linear.weight.shape)), data)
        linear.weight.copy_(torch.from_numpy(weight.T.copy()))
        linear.bias.copy_(torch.from_numpy(_variable(layers, number, "bias", tuple(linear.bias.shape), data).copy()))


def _load_convolution(layer: nn.Conv2d, layers: Layers, number: int, data: Path) -> None:
    """Fold the normalisation: weight / s and beta - mean / s with s = sqrt(variance + eps)."""
    outputs, inputs, height, width = layer.weight.shape
    depthwise = layer.groups > 1
    shape = (height, width, outputs if depthwise else inputs, inputs if depthwise else outputs)
    kernel = _variable(layers, number, "depthwise_kernel" if depthwise else "kernel", shape, data)
    beta, mean, variance = (
        _variable(layers, number + 1, name, (outputs,), data).astype(np.float64)
        for name in ("beta", "moving_mean", "moving_variance")
    )
    deviation = np.sqrt(variance + EPSILON)
    weight = kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(3, 2, 0, 1)
    layer.weight.copy_(torch.from_numpy(weight / deviation[:, None, None, None]))
    assert layer.bias is not None
    layer.bias.copy_(torch.from_numpy(beta - mean / deviation))


def _variable(layers: Layers, number: int, name: str, shape: tuple[int, ...], data: Path) -> np.ndarray:
    values = layers.get(number, {}).get(name)
    if values is None or values.shape != shape:
        raise DataError(
            "the variables are not those of YAMNet",
            where=f"{data}, layer_with_weights-{number}/{name}",
            found="no such variable" if values is None else str(values.shape),
            expected=str(shape),
            fix="use the variables of YAMNet's SavedModel",
        )
    return values


def read_classes(path: Path, count: int) -> tuple[str, ...]:
    """Names of the classes from the class map: a CSV with the columns index, mid, display_name.

    Raises:
        DataError: the file cannot be read, or is not a map of so many classes.
    """
    expected = f"a CSV with the columns index, mid, display_name and {count} rows in order"
    try:
        rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        found = reason(error) if isinstance(error, OSError) else str(error)
        raise DataError("the class map cannot be read", where=str(path), found=found, expected=expected) from error
    names = tuple(row.get("display_name") or "" for row in rows)
    if [row.get("index") for row in rows] != [str(i) for i in range(count)] or not all(names):
        raise DataError(
            "the class map is not that of YAMNet",
            where=str(path),
            found=f"{len(rows)} rows, columns {some(list(rows[0]) if rows else [])}",
            expected=expected,
            fix="use the file yamnet_class_map.csv of the SavedModel",
        )
    return names
