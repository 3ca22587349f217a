"""Layers of a chain: each maps a piece forward, and a gradient of its output backward."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from avelzoo.nn.cpu.dropout import draw_seed, mask_into
from avelzoo.nn.cpu.pieces.saved import Saved
from avelzoo.nn.cpu.pieces.sums import Sums

_FUSED = (torch.float32, torch.bfloat16)
"""Number formats in which oneDNN adds the bias in the product."""


@dataclass(frozen=True)
class Weights:
    """Parameters of a chain in the number format of the products, and the sums of their gradients.

    Attributes:
        values: parameters in the format of the products, by position.
        originals: the parameters themselves; norms use these.
        gradients: sums over the pieces, by position.
    """

    values: list[Tensor]
    originals: list[Tensor]
    gradients: Sums

    @classmethod
    def of(cls, parameters: Sequence[Tensor], dtype: torch.dtype) -> Weights:
        """Those of a chain whose products have this format."""
        return cls([value.to(dtype) for value in parameters], [*parameters], Sums(parameters))


class Layer(ABC):
    """One layer of a chain.

    Attributes:
        parameters: its parameters; a chain gives each a position, `first` is that of the first one.
        dropout: probability of each of its masks, in the order in which torch would draw them.
        seeds: of the masks, drawn once per forward pass of the chain; piece i adds i.
        repeats: whether `output` computes the output again; else the chain keeps it where it is needed.
        in_place: whether `forward` overwrites its input; a chain then copies its own input.
    """

    repeats = False
    in_place = False

    def __init__(self, *parameters: Tensor, dropout: tuple[float, ...] = ()) -> None:
        self.parameters = parameters
        self.dropout = dropout
        self.first = 0
        self.seeds: tuple[int, ...] = ()

    def draw(self) -> None:
        """Draw the seeds of the masks from torch's generator."""
        self.seeds = tuple(seed_for(p) for p in self.dropout)

    def masked(self, x: Tensor, number: int, piece: int, out: Tensor, *, scaled: bool = False) -> tuple[Tensor, float]:
        """Write x after mask ``number`` to ``out``, which may be x; returns it and the factor that is not applied.

        Without dropout, x itself and 1.
        """
        p = self.dropout[number]
        if not p:
            return x, 1.0
        factor = mask_into(out, x, p, self.seeds[number] + piece, scaled=scaled)
        return out, 1.0 if scaled else factor

    def output(self, weights: Weights, saved: list[Any]) -> Tensor | None:
        """The output of a piece, from what `forward` saved; None if it is not worth computing again."""
        return None

    @abstractmethod
    def forward(self, x: Tensor, weights: Weights, piece: int, saved: Saved | None) -> Tensor:
        """(r d) -> (r d'); ``saved`` receives what `backward` needs, None if there is no backward pass."""

    @abstractmethod
    def backward(self, grad: Tensor, weights: Weights, piece: int, saved: list[Any], *, wanted: bool) -> Tensor:
        """Gradient of the output -> gradient of the input; its value has no meaning unless it is ``wanted``."""


def seed_for(p: float) -> int:
    """Seed of a mask; nothing is drawn without dropout."""
    return draw_seed() if p else 0


def affine(x: Tensor, weight: Tensor, bias: Tensor, *, relu: bool = False) -> Tensor:
    """x W^T + b, and its ReLU, in one pass: oneDNN's kernel, which PyTorch's compiler uses too, where it exists."""
    if x.dtype in _FUSED and torch._C._has_mkldnn:  # noqa: SLF001, the public name is a function without types
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "relu" if relu else "none", [], "")  # noqa: SLF001
        return out
    out = torch.addmm(bias, x, weight.t())
    return out.relu_() if relu else out


class Linear(Layer):
    """W x + b. The gradient of the input of a chain's first layer is computed only if it is wanted."""

    def forward(self, x: Tensor, weights: Weights, piece: int, saved: Saved | None) -> Tensor:
        """(r d) -> (r d')."""
        weight, bias = weights.values[self.first : self.first + 2]
        if saved is not None:
            saved.append(x)  # before the conversion: a chain's input exists anyway
        return affine(x.to(weight.dtype), weight, bias)

    def backward(self, grad: Tensor, weights: Weights, piece: int, saved: list[Any], *, wanted: bool) -> Tensor:
        """(r d') -> (r d)."""
        weights.gradients.add_product(self.first, grad.t(), saved[0].to(grad.dtype))
        weights.gradients.add_rows(self.first + 1, grad)
        return grad @ weights.values[self.first] if wanted else grad


class LeakyReLU(Layer):
    """max(x, slope x), in place unless it is saved.

    Args:
        slope: positive, so that the output tells the sign of the input.
    """

    in_place = True

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor, weights: Weights, piece: int, saved: Saved | None) -> Tensor:
        """(r d) -> (r d)."""
        out = x if saved is None else saved.room(x)
        torch.ops.aten.leaky_relu.out(x, self.slope, out=out)
        if saved is not None:
            saved.append(out)
        return out

    def backward(self, grad: Tensor, weights: Weights, piece: int, saved: list[Any], *, wanted: bool) -> Tensor:
        """(r d) -> (r d)."""
        back: Tensor = torch.ops.aten.leaky_relu_backward(grad, saved[0], self.slope, True)
        return back


class Drop(Layer):
    """Dropout.

    Args:
        p: probability.
    """

    in_place = True

    def __init__(self, p: float) -> None:
        super().__init__(dropout=(p,))

    def forward(self, x: Tensor, weights: Weights, piece: int, saved: Saved | None) -> Tensor:
        """(r d) -> (r d), in place."""
        return self.masked(x, 0, piece, out=x, scaled=True)[0]

    def backward(self, grad: Tensor, weights: Weights, piece: int, saved: list[Any], *, wanted: bool) -> Tensor:
        """(r d) -> (r d), not in place: the gradient may be the caller's."""
        return self.masked(grad.contiguous(), 0, piece, out=grad.new_empty(grad.shape), scaled=True)[0]


class AddTable(Layer):
    """x + table, a row for each position of a sequence.

    Args:
        table: (s d) by length s and width d.
        length: s.
    """

    def __init__(self, table: Callable[[int, int], Tensor], length: int) -> None:
        super().__init__()
        self.table, self.length = table, length
        self._made: Tensor | None = None

    def forward(self, x: Tensor, weights: Weights, piece: int, saved: Saved | None) -> Tensor:
        """(m s, d) -> (m s, d), not in place: the layer before may have saved x. The next one usually keeps the sum."""
        if self._made is None:
            self._made = self.table(self.length, x.shape[-1]).to(x.dtype)
        out = torch.empty_like(x) if saved is None else saved.room(x)
        rows = x.view(-1, *self._made.shape)
        torch.add(rows, self._made, out=out.view(rows.shape))
        return out

    def backward(self, grad: Tensor, weights: Weights, piece: int, saved: list[Any], *, wanted: bool) -> Tensor:
        """The gradient itself."""
        return grad
