"""A chain of layers under autograd, and which modules make one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from avelzoo.nn.cpu import cpu_layers
from avelzoo.nn.cpu.dropout import worth_cheap_mask
from avelzoo.nn.cpu.pieces.layers import Drop, Layer, LeakyReLU, Linear, Saved, Weights
from avelzoo.nn.cpu.pieces.pooling import Pool
from avelzoo.nn.cpu.pieces.sums import slices, sums_like

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
    """Apply layers one after another on a CPU; with autocast, in its number format.

    Args:
        layers: of one forward pass.
        x: (m s d); sequences are not divided.

    Returns:
        (m s d').
    """
    return _run(layers, x, None, None)


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
    out = _run(layers, x, queries, Pool(p))
    return out[:, 0, :-1], out[:, 1:, :-1], out[:, 1:, -1:]


def _run(layers: Sequence[Layer], x: Tensor, queries: Tensor | None, pool: Pool | None) -> Tensor:
    parameters: list[Tensor] = []
    for layer in layers:
        layer.first = len(parameters)
        parameters.extend(layer.parameters)
    for layer in layers:
        layer.draw()
    if pool is not None:
        pool.draw()
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
    with torch.autocast("cpu", enabled=False):
        out: Tensor = _Chain.apply(x.contiguous(), queries, _Plan(layers, pool, dtype), *parameters)
    return out


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


@dataclass(frozen=True)
class _Plan:
    """What a chain does, and the number format of its products."""

    layers: Sequence[Layer]
    pool: Pool | None
    dtype: torch.dtype


class _Chain(torch.autograd.Function):
    """Keeps the input, the parameters, and what the layers save of each piece."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, queries: Tensor | None, plan: _Plan, *parameters: Tensor) -> Tensor:
        weights = Weights([value.to(plan.dtype) for value in parameters], [*parameters])
        keeps = any(ctx.needs_input_grad)
        kept: list[Tensor] = []
        saved: list[Saved] = []
        whole: Tensor | None = None
        for number, part in _parts(x):
            rows = x[part].flatten(0, 1)
            saved = [[] for _ in plan.layers]
            for layer, own in zip(plan.layers, saved, strict=True):
                rows = layer.forward(rows, weights, number, own if keeps else None)
            out = rows.view(-1, x.shape[1], rows.shape[-1])
            if plan.pool is not None and queries is not None:
                out, attention = plan.pool.forward(out, queries[part].to(plan.dtype), number)
                if keeps:
                    saved.append([attention, rows.new_empty(0) if plan.layers[-1].repeats else rows])
            kept += _tensors(saved)
            whole = out.new_empty(x.shape[0], *out.shape[1:]) if whole is None else whole
            whole[part] = out
        # saved by autograd, so that its hooks (checkpoints, offloading) see everything that is kept
        ctx.save_for_backward(x, queries, *parameters, *kept)
        ctx.plan, ctx.template, ctx.count = plan, saved and _places(saved), len(parameters)
        assert whole is not None
        return whole

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        x, queries, *rest = ctx.saved_tensors
        parameters, kept = rest[: ctx.count], iter(rest[ctx.count :])
        plan: _Plan = ctx.plan
        wide = [sums_like(parameter) for parameter in parameters]
        weights = Weights([value.to(plan.dtype) for value in parameters], parameters, wide)
        grad_x, grad_queries = (
            torch.empty_like(value) if needed else None
            for value, needed in zip((x, queries), ctx.needs_input_grad, strict=False)
        )
        for number, part in _parts(x):
            saved = _filled(ctx.template, kept)
            grad = grads[0][part].to(plan.dtype)
            if plan.pool is not None:
                attention, rows = saved.pop()
                if plan.layers[-1].repeats:
                    rows = plan.layers[-1].output(weights, saved[-1])
                y = rows.view(-1, x.shape[1], rows.shape[-1])
                grad, asked = plan.pool.backward(grad, y, queries[part].to(plan.dtype), attention, number)
                if grad_queries is not None:
                    grad_queries[part] = asked
            grad = grad.flatten(0, 1)
            for place in reversed(range(len(plan.layers))):
                wanted = grad_x is not None or place > 0
                grad = plan.layers[place].backward(grad, weights, number, saved.pop(), wanted=wanted)
            if grad_x is not None:
                grad_x[part] = grad.view(x[part].shape)
        return grad_x, grad_queries, None, *(g.to(p.dtype) for g, p in zip(wide, parameters, strict=True))


def _tensors(saved: Saved) -> list[Tensor]:
    """The tensors in nested lists."""
    return [one for value in saved for one in ([value] if isinstance(value, Tensor) else _tensors(value))]


def _places(saved: Saved) -> Saved:
    """Nested lists with None for each tensor."""
    return [None if isinstance(value, Tensor) else _places(value) for value in saved]


def _filled(places: Saved, tensors: Iterator[Tensor]) -> Saved:
    """Inverse of `_tensors` for lists of this form."""
    return [next(tensors) if place is None else _filled(place, tensors) for place in places]


def _parts(x: Tensor) -> Iterator[tuple[int, slice]]:
    """Number and slice of each piece of (m s d)."""
    return enumerate(slices(x, ROWS))
