"""Chains of layers, and which modules make one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from avelzoo.nn.cpu import cpu_layers
from avelzoo.nn.cpu.dropout import worth_cheap_mask
from avelzoo.nn.cpu.pieces import function
from avelzoo.nn.cpu.pieces.function import run
from avelzoo.nn.cpu.pieces.layers import Drop, Layer, LeakyReLU, Linear
from avelzoo.nn.cpu.pieces.pooling import Pool


def worth_pieces(x: Tensor, width: int, *dropout: float) -> bool:
    """Whether a chain is used for ``x``: `cpu_layers`, and pieces save time at its size.

    Args:
        x: (... d).
        width: channels of the activations between the layers.
        dropout: probabilities.
    """
    elements = x.numel() // max(x.shape[-1], 1) * width
    return cpu_layers(x) and all(worth_cheap_mask(elements, p or 0.5) for p in dropout or (0.0,))


def worth_chain(x: Tensor, layers: Sequence[Layer]) -> bool:
    """Whether layers run as one chain on ``x`` (m s d): more than two pieces, and each layer is `worth_pieces`."""
    return x.shape[0] * x.shape[1] > 2 * function.ROWS and all(
        worth_pieces(x, x.shape[-1], *layer.dropout) for layer in layers
    )


def run_pooled(layers: Sequence[Layer], x: Tensor, queries: Tensor, p: float) -> tuple[Tensor, Tensor, Tensor]:
    """Apply layers one after another, and pool each sequence.

    Args:
        layers: of one forward pass.
        x: (m s d).
        queries: (m h d'), in the space of the output.
        p: dropout probability of the attention weights of the queries.

    Returns:
        The mean of each sequence (m d'); its rows weighted by each query's attention (m h d'); the sums of these
        weights (m h 1).
    """
    out = run(layers, x, queries, Pool(p))
    return out[:, 0, :-1], out[:, 1:, :-1], out[:, 1:, -1:]


def in_pieces(modules: Sequence[nn.Module], x: Tensor) -> Tensor:
    """Apply modules one after another; on a CPU as one chain, if `chain_of` finds one.

    Args:
        modules: maps of (m s d) to (m s d') that do not mix sequences.
        x: (m s d).

    Returns:
        (m s d').
    """
    if layers := chain_of(modules, x):
        return run(layers, x)
    for module in modules:
        x = module(x)
    return x


def chain_of(modules: Sequence[nn.Module], x: Tensor) -> list[Layer] | None:
    """Layers of the modules for one pass of ``x`` (m s d), or None if a chain is not possible or saves no time."""
    if not cpu_layers(x):
        return None
    layers = layers_of(modules, x.shape[1])
    return layers if layers and worth_chain(x, layers) else None


def layers_of(modules: Iterable[nn.Module], length: int) -> list[Layer] | None:
    """Layers of modules: linear, LeakyReLU, dropout, modules with ``piece_layers``, and sequences of these.

    Args:
        modules: applied one after another.
        length: s, rows of a sequence.

    Returns:
        None if there is none for one of the modules.
    """
    found: list[Layer] = []
    for module in modules:
        layers: list[Layer] | None = None
        if isinstance(module, nn.Sequential):
            layers = layers_of(module, length)
        elif isinstance(module, nn.Linear) and module.bias is not None:
            layers = [Linear(module.weight, module.bias)]
        elif isinstance(module, nn.LeakyReLU) and module.negative_slope > 0:
            layers = [LeakyReLU(module.negative_slope)]
        elif isinstance(module, nn.Dropout):
            layers = [Drop(module.p)] if module.p and module.training else []
        elif isinstance(module, InPieces):
            layers = module.piece_layers(length)
        if layers is None:
            return None
        found += layers
    return found


@runtime_checkable
class InPieces(Protocol):
    """A module that can be part of a chain."""

    def piece_layers(self, length: int) -> list[Layer] | None:
        """Its layers for sequences of ``length`` rows, or None if its options do not allow it."""
        ...
