"""A chain of layers under autograd: pieces forward and backward, divided among threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from avelzoo.nn.cpu.pieces.layers import Layer, Weights
from avelzoo.nn.cpu.pieces.pooling import Pool
from avelzoo.nn.cpu.pieces.saved import Saved, Wholes, filled, places_in, tensors_in
from avelzoo.nn.cpu.pieces.sums import Sums, even_slices, summed
from avelzoo.nn.cpu.pieces.workers import in_threads

ROWS = 1536
"""Rows of a piece; 6 MB in float32 with 1,024 hidden channels. In formats of 16 bits twice as many."""

_OUT = "output"

Part = tuple[int, slice]
"""Number of a piece, and its sequences."""


def run(layers: Sequence[Layer], x: Tensor, queries: Tensor | None = None, pool: Pool | None = None) -> Tensor:
    """Apply layers one after another on a CPU, and pool the output if a pool is given; with autocast, in its format.

    Args:
        layers: of one forward pass.
        x: (m s d); sequences are not divided.
        queries: (m h d') of the pool.
        pool: what each sequence becomes.

    Returns:
        (m s d'), or as `Pool.forward`.
    """
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


@dataclass(frozen=True)
class _Plan:
    """What a chain does to each piece, and the number format of its products."""

    layers: Sequence[Layer]
    pool: Pool | None
    dtype: torch.dtype


@dataclass(frozen=True)
class _Pieces:
    """The pieces of an input (m s d) and of the queries.

    Each piece is computed by one thread, and several threads compute at a time.
    """

    plan: _Plan
    x: Tensor
    queries: Tensor | None

    @property
    def parts(self) -> list[Part]:
        """In order."""
        return list(enumerate(even_slices(self.x, 2 * ROWS if self.plan.dtype.itemsize == 2 else ROWS)))

    def forward(self, weights: Weights, part: Part, wholes: Wholes, *, keeps: bool) -> list[list[Any]]:
        """What the backward pass of a piece needs; its output becomes part of the whole output."""
        number, where = part
        layers, pool = self.plan.layers, self.plan.pool
        rows = self.x[where].flatten(0, 1)
        rows = rows.clone() if layers[0].in_place else rows
        saved: list[list[Any]] = []
        for place, layer in enumerate(layers):
            saved.append(own := Saved(wholes, place, where))
            rows = layer.forward(rows, weights, number, own if keeps else None)
        out = self._sequences(rows)
        if pool is not None and self.queries is not None:
            out, attention = pool.forward(out, self.queries[where].to(self.plan.dtype), number)
            if keeps:
                saved.append([attention, rows.new_empty(0) if layers[-1].repeats else rows])
        wholes.part(_OUT, where, out).copy_(out)
        return saved

    def backward(
        self, weights: Weights, part: Part, saved: list[Any], grad: Tensor, *, wanted: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Gradients of a piece of the input, if it is wanted, and of the queries."""
        number, where = part
        layers, pool, asked = self.plan.layers, self.plan.pool, None
        grad = grad[where].to(self.plan.dtype)
        if pool is not None and self.queries is not None:
            attention, kept = saved.pop()
            again = layers[-1].output(weights, saved[-1])
            rows = self._sequences(kept if again is None else again)
            grad, asked = pool.backward(grad, rows, self.queries[where].to(self.plan.dtype), attention, number)
        grad = grad.flatten(0, 1)
        for place in reversed(range(len(layers))):
            grad = layers[place].backward(grad, weights, number, saved.pop(), wanted=wanted or place > 0)
        return grad, asked

    def _sequences(self, rows: Tensor) -> Tensor:
        """(m s, d) -> (m s d)."""
        return rows.view(-1, self.x.shape[1], rows.shape[-1])


class _Chain(torch.autograd.Function):
    """Keeps the input, the parameters, and what the layers save of each piece."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, queries: Tensor | None, plan: _Plan, *parameters: Tensor) -> Tensor:
        weights = Weights.of(parameters, plan.dtype)
        keeps = any(ctx.needs_input_grad)
        pieces, wholes = _Pieces(plan, x, queries), Wholes(x.shape[0])
        saved = in_threads(lambda part: pieces.forward(weights, part, wholes, keeps=keeps), pieces.parts)
        # saved by autograd, so that its hooks (checkpoints, offloading) see everything that is kept
        ctx.save_for_backward(x, queries, *parameters, *tensors_in(saved))
        ctx.plan, ctx.template, ctx.count = plan, places_in(saved), len(parameters)
        return wholes[_OUT]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        x, queries, *rest = ctx.saved_tensors
        parameters, saved = rest[: ctx.count], filled(ctx.template, iter(rest[ctx.count :]))
        pieces = _Pieces(ctx.plan, x, queries)
        weights = Weights.of(parameters, ctx.plan.dtype)
        grad_x, grad_queries = (
            torch.empty_like(value) if needed else None
            for value, needed in zip((x, queries), ctx.needs_input_grad, strict=False)
        )

        def compute(parts: Sequence[Part]) -> Sums:
            own = replace(weights, gradients=Sums(parameters))
            for part in parts:
                number, where = part
                grad, asked = pieces.backward(own, part, saved[number], grads[0], wanted=grad_x is not None)
                if grad_x is not None:
                    grad_x[where] = grad.view(x[where].shape)
                if grad_queries is not None and asked is not None:
                    grad_queries[where] = asked
            return own.gradients

        sums = summed(compute, pieces.parts)
        return grad_x, grad_queries, None, *sums
