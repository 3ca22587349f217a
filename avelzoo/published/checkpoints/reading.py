"""A checkpoint file as weights by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from avelzoo.errors import AvelzooError
from avelzoo.published.checkpoints.archives import load
from avelzoo.published.checkpoints.weights import find


@dataclass(frozen=True)
class Checkpoint:
    """The weights of a checkpoint file, and what was found on the way to them.

    Attributes:
        state: tensors by name, as they are in the file.
        key: the entry they were under, such as ``checkpoint.model``; empty where they are the whole file.
        beside: other entries that hold tensors by name; they were not taken.
        left_out: entries among the weights that are no tensors.
        inert: classes and functions that the file names; none of them was imported or called.
    """

    state: dict[str, Tensor]
    key: str
    beside: tuple[str, ...]
    left_out: tuple[str, ...]
    inert: tuple[str, ...]


def read_checkpoint(path: Path, key: str | None = None) -> Checkpoint:
    """Read a checkpoint of PyTorch's formats, a plain pickle, or safetensors, judged by its content.

    Nothing in the file is ever executed: no class or function it names is imported or called. Settings, numbers and
    other objects beside the weights become inert stand-ins.

    Args:
        path: the file, whatever it is called.
        key: the entry that holds the weights, such as ``ema`` or ``checkpoint.model``; None to find it.

    Raises:
        RunError: there is no such file, it is damaged, of another kind, holds no weights, or calls something that does
            more than make a value. The file is named.
        UsageError: it has no such key.
    """
    content = load(path)
    try:
        found = find(content.value, key)
    except AvelzooError as error:
        error.where = error.where or str(path)
        raise
    return Checkpoint(found.state, found.key, found.beside, found.left_out, tuple(content.inert))
