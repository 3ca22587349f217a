"""Reader of checkpoint files: weights by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from avelzoo.errors import AvelzooError
from avelzoo.published.checkpoints.archives import load
from avelzoo.published.checkpoints.weights import find


@dataclass(frozen=True)
class Checkpoint:
    """Weights of a checkpoint file.

    Attributes:
        state: tensors by name, as in the file.
        key: entry that holds the weights, such as ``checkpoint.model``; empty if the whole file does.
        beside: other entries with tensors by name; not used.
        left_out: entries among the weights that are not tensors; not used.
        inert: classes and functions that the file names; none was imported or called.
    """

    state: dict[str, Tensor]
    key: str
    beside: tuple[str, ...]
    left_out: tuple[str, ...]
    inert: tuple[str, ...]


def read_checkpoint(path: Path, key: str | None = None) -> Checkpoint:
    """Read a checkpoint in one of PyTorch's formats, a plain pickle, or safetensors; the content decides the format.

    Nothing in the file is ever executed: no class or function it names is imported or called. Settings, numbers and
    other objects beside the weights become inert stand-ins.

    Args:
        path: the file, under any name.
        key: entry that holds the weights, such as ``ema`` or ``checkpoint.model``; None to find it.

    Raises:
        RunError: the file is missing, damaged, of another kind or without weights, or contains a call that does more
            than construct a value. The message names the file.
        UsageError: the file has no such key.
    """
    content = load(path)
    try:
        found = find(content.value, key)
    except AvelzooError as error:
        error.where = error.where or str(path)
        raise
    return Checkpoint(found.state, found.key, found.beside, found.left_out, tuple(content.inert))
