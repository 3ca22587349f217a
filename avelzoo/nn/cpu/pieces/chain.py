"""A chain of layers under autograd, and which modules make one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from avelzoo.nn.cpu import cpu_layers
from avelzoo.nn.cpu.dropout import worth_cheap_mask
from avelzoo.nn.cpu.pieces.layers import Drop, Layer, LeakyReLU, Linear, Saved, Weights

ROWS = 1536
"""Rows of a piece; 6 MB in float32 with 1,024 hidden channels."""


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
    return x.shape[0] * x.shape[1] > 2 * ROWS and all(worth_pieces(x, x.shape[-1], *layer.dropout) for layer in layers)


def run(layers: Sequence[Layer], x: Tensor) -> Tensor:
    """Apply layers one after another, in training on a CPU; with autocast, in its number format.

    Args:
        layers: of one forward pass.
        x: (m s d); sequences are not divided.

    Returns:
        (m s d').
    """
    parameters: list[Tensor] = []
    for layer in layers:
        layer.first = len(parameters)
        parameters.extend(layer.parameters)
    for layer in layers:
        layer.draw()
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
    with torch.autocast("cpu", enabled=False):
        out: Tensor = _Chain.apply(x.contiguous(), layers, dtype, *parameters)
    return out


def in_pieces(modules: Sequence[nn.Module], x: Tensor) -> Tensor:
    """Apply modules one after another; on a CPU as one chain, if all of them can be layers of one.

    Args:
        modules: maps of (m s d) to (m s d') that do not mix sequences.
        x: (m s d).

    Returns:
        (m s d').
    """
    if all(module.training for module in modules) and cpu_layers(x) and torch.is_grad_enabled():
        layers = layers_of(modules, x.shape[1])
        if layers and worth_chain(x, layers):
            return run(layers, x)
    for module in modules:
        x = module(x)
    return x


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
            layers = [Drop(module.p)] if module.p else []
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


class _Chain(torch.autograd.Function):
    """Keeps the input, the parameters, and what the layers save of each piece."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Sequence[Layer], dtype: torch.dtype, *parameters: Tensor) -> Tensor:
        weights = Weights([value.to(dtype) for value in parameters], [*parameters])
        length = x.shape[1]
        keeps = any(ctx.needs_input_grad)
        pieces: list[list[Saved]] = []
        out: Tensor | None = None
        for number, part in _parts(x):
            rows = x[part].flatten(0, 1)
            saved: list[Saved] = [[] for _ in layers]
            for layer, own in zip(layers, saved, strict=True):
                rows = layer.forward(rows, weights, number, own if keeps else None)
            pieces.append(saved)
            out = x.new_empty(*x.shape[:2], rows.shape[-1], dtype=rows.dtype) if out is None else out
            out[part] = rows.view(-1, length, rows.shape[-1])
        ctx.save_for_backward(x, *parameters)
        ctx.layers, ctx.pieces, ctx.dtype = layers, pieces, dtype
        assert out is not None
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        x, *parameters = ctx.saved_tensors
        wide = [torch.zeros_like(p, dtype=torch.promote_types(p.dtype, torch.float32)) for p in parameters]
        weights = Weights([value.to(ctx.dtype) for value in parameters], parameters, wide)
        wanted = ctx.needs_input_grad[0]
        grad_x = torch.empty_like(x) if wanted else None
        for number, part in _parts(x):
            grad = grads[0][part].flatten(0, 1).to(ctx.dtype)
            saved, ctx.pieces[number] = ctx.pieces[number], None
            for place in reversed(range(len(ctx.layers))):
                grad = ctx.layers[place].backward(grad, weights, number, saved[place], wanted=wanted or place > 0)
                saved[place].clear()
            if grad_x is not None:
                grad_x[part] = grad.view(x[part].shape)
        return grad_x, None, None, *(g.to(p.dtype) for g, p in zip(wide, parameters, strict=True))


def _parts(x: Tensor) -> Iterator[tuple[int, slice]]:
    """Number and slice of each piece of (m s d)."""
    step = max(1, ROWS // max(x.shape[1], 1))
    for number, start in enumerate(range(0, x.shape[0], step)):
        yield number, slice(start, min(start + step, x.shape[0]))
