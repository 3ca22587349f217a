"""What a chain saves of its pieces, in one tensor per activation: between small ones memory for the rest is lost."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from typing import Any

import torch
from torch import Tensor

from avelzoo.nn.cpu.pieces.buffers import SHARED


class Wholes:
    """Tensors over all sequences of a chain's input, each made when the first piece shows its shape.

    Args:
        sequences: m.
    """

    def __init__(self, sequences: int) -> None:
        self._sequences = sequences
        self._made: dict[Hashable, Tensor] = {}
        self._lock = threading.Lock()

    def __getitem__(self, name: Hashable) -> Tensor:
        """A whole tensor."""
        return self._made[name]

    def part(self, name: Hashable, where: slice, like: Tensor) -> Tensor:
        """Part of a tensor, its values not set.

        Args:
            name: of the whole tensor.
            where: the piece's sequences.
            like: has the shape and the type of the part; each sequence has the same number of rows.
        """
        each = like.shape[0] // (where.stop - where.start)
        with self._lock:
            if name not in self._made:
                self._made[name] = SHARED.empty((each * self._sequences, *like.shape[1:]), like.dtype)
        return self._made[name][each * where.start : each * where.stop]


class Saved(list[Any]):
    """What one layer saves of one piece for its backward pass: tensors, and such lists of the layers it consists of.

    Args:
        wholes: gives `room`.
        layer: number of the layer in its chain.
        where: the piece's sequences.
    """

    def __init__(self, wholes: Wholes | None = None, layer: int = 0, where: slice = slice(0)) -> None:
        super().__init__()
        self._wholes, self._layer, self._where, self._asked = wholes, layer, where, 0

    def room(self, like: Tensor) -> Tensor:
        """Memory for a tensor like this one that is kept: with that of the other pieces, if possible."""
        self._asked += 1
        if self._wholes is None:
            return torch.empty_like(like)
        return self._wholes.part((self._layer, self._asked), self._where, like)


def tensors_in(saved: list[Any]) -> list[Tensor]:
    """The tensors in nested lists."""
    return [one for value in saved for one in ([value] if isinstance(value, Tensor) else tensors_in(value))]


def places_in(saved: list[Any]) -> list[Any]:
    """Nested lists with None for each tensor."""
    return [None if isinstance(value, Tensor) else places_in(value) for value in saved]


def filled(places: list[Any], tensors: Iterator[Tensor]) -> list[Any]:
    """Inverse of `tensors_in` for lists of the form `places_in`."""
    return [next(tensors) if place is None else filled(place, tensors) for place in places]
