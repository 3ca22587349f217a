"""Many hidden activations ReLU(W x + b) that are contracted to few numbers at once, on CPUs.

Attention over cells projects every cell to hundreds of channels and keeps a score or a mean of them. Plain layers write
and read these activations and their gradient several times. Here, groups of rows are processed in pieces that fit the
processor's cache: the backward pass reads the activations once, and their gradient never leaves the cache.
All functions are differentiable once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from avelzoo.nn.cpu import cpu_layers
from avelzoo.nn.cpu.pieces.sums import Sums, even_slices, sequences, summed
from avelzoo.nn.cpu.pieces.workers import in_threads

_ROWS = 784
"""Rows of a piece: 1.6 MB with 512 hidden channels."""

_LARGE = 1 << 21
"""Activations from which pieces save time."""


def contracted_hidden(x: Tensor, layer: nn.Linear, columns: Tensor) -> Tensor:
    """H C^T with the hidden activations H = ReLU(W x + b).

    Args:
        x: (... l v).
        layer: W and b, v to h channels.
        columns: C, (k h) for all groups of l rows or (... k h) for each.

    Returns:
        (... l k).
    """
    if not _worth_pieces(x, layer):
        return F.relu(layer(x)) @ columns.transpose(-2, -1)
    shared = columns.dim() == 2
    groups, weight, bias, table = _groups(x, layer, columns if shared else columns.flatten(0, -3))
    with torch.autocast("cpu", enabled=False):
        out: Tensor = _Contracted.apply(groups, weight, bias, table, torch.is_grad_enabled())
    return out.view(*x.shape[:-1], columns.shape[-2])


def mean_hidden(x: Tensor, layer: nn.Linear) -> Tensor:
    """Mean over l of the hidden activations ReLU(W x + b): (... l v) -> (... h).

    Args:
        x: (... l v).
        layer: W and b, v to h channels.
    """
    if not _worth_pieces(x, layer):
        return F.relu(layer(x)).mean(dim=-2)
    groups, weight, bias, _ = _groups(x, layer, None)
    with torch.autocast("cpu", enabled=False):
        out: Tensor = _Contracted.apply(groups, weight, bias, None, torch.is_grad_enabled())
    return out.view(*x.shape[:-2], layer.out_features)


class _Contracted(torch.autograd.Function):
    """Keeps the input and the hidden activations, if there will be a backward pass."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        x, weight, bias, columns, keep = given
        (s, each, _), h = x.shape, weight.shape[0]
        hidden = x.new_empty(s, each, h) if keep else None
        out: Tensor = x.new_empty((s, h) if columns is None else (s, each, columns.shape[-2]))

        def compute(part: slice) -> None:
            rows = x[part].flatten(0, 1)
            piece = x.new_empty(len(x[part]), each, h) if hidden is None else hidden[part]
            torch.addmm(bias, rows, weight.t(), out=piece.view(-1, h)).relu_()
            if columns is None:
                torch.mean(piece, dim=1, out=out[part])
            elif columns.dim() == 2:
                torch.mm(piece.view(-1, h), columns.t(), out=out[part].view(-1, columns.shape[0]))
            else:
                torch.bmm(piece, columns[part].transpose(1, 2), out=out[part])

        in_threads(compute, even_slices(x, _ROWS))
        if keep:
            ctx.save_for_backward(x, weight, bias, hidden, columns)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, bias, hidden, columns = ctx.saved_tensors
        grad, h = grads[0].contiguous(), weight.shape[0]
        grad_x = torch.empty_like(x) if ctx.needs_input_grad[0] else None
        shared = columns is not None and columns.dim() == 2
        grad_columns = None if columns is None or shared else torch.empty_like(columns)
        owners = [weight, bias, columns] if shared else [weight, bias]

        def compute(parts: Sequence[slice]) -> Sums:
            sums = Sums(owners)
            scratch = torch.empty_like(hidden[: sequences(x, _ROWS)])
            for part in parts:
                kept, upper = hidden[part], grad[part]
                through = scratch[: len(kept)]
                rows = through.view(-1, h)
                if columns is None:
                    through.copy_((upper / kept.shape[1]).unsqueeze(1).expand_as(through))
                elif grad_columns is None:
                    torch.mm(upper.flatten(0, 1), columns, out=rows)
                    sums.add_product(2, upper.flatten(0, 1).t(), kept.view(-1, h))
                else:
                    torch.bmm(upper, columns[part], out=through)
                    torch.bmm(upper.transpose(1, 2), kept, out=grad_columns[part])
                torch.ops.aten.threshold_backward.grad_input(through, kept, 0, grad_input=through)
                sums.add_product(0, rows.t(), x[part].flatten(0, 1))
                sums.add_rows(1, rows)
                if grad_x is not None:
                    torch.mm(rows, weight, out=grad_x[part].view(-1, x.shape[-1]))
            return sums

        grad_weight, grad_bias, *more = summed(compute, even_slices(x, _ROWS))
        return grad_x, grad_weight, grad_bias, more[0] if more else grad_columns, None


def _worth_pieces(x: Tensor, layer: nn.Linear) -> bool:
    """Whether ``x`` is on a CPU and has so many hidden activations that pieces save time."""
    return cpu_layers(x) and x.numel() // max(x.shape[-1], 1) * layer.out_features >= _LARGE


def _groups(x: Tensor, layer: nn.Linear, columns: Tensor | None) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Input as contiguous (s l v), weight, bias and columns, all in the type of autocast, if it is on."""
    flat = x.flatten(0, -3) if x.dim() > 3 else x
    weight: Tensor = layer.weight
    bias: Tensor = layer.bias
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        flat, weight, bias = flat.to(dtype), weight.to(dtype), bias.to(dtype)
        columns = None if columns is None else columns.to(dtype)
    return flat.contiguous(), weight, bias, None if columns is None else columns.contiguous()
