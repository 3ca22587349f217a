"""Layers for training on CPUs that store only their input for the backward pass.

Rows are processed in pieces whose intermediate results fit the processor's cache. The backward pass computes these
results again, and dropout masks from their seeds. In the spatial encoder of Ge et al. 2023, this is a sixth more
arithmetic, but the smaller memory traffic saves more time; peak memory is lower, too.
All layers are differentiable once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from avelzoo.nn.cpu import cpu_layers
from avelzoo.nn.cpu.dropout import draw_seed, mask_into, worth_cheap_mask

_ROWS = 1536
"""Rows of a piece; 6 MB with 1,024 hidden channels."""


def worth_recomputing(x: Tensor, width: int, p: float) -> bool:
    """Whether the CPU forms are used for ``x`` (`cpu_layers`) and recomputing saves time at its size.

    Args:
        x: (... d).
        width: channels of the intermediate activations.
        p: dropout probability.
    """
    elements = x.numel() // max(x.shape[-1], 1) * width
    return cpu_layers(x) and worth_cheap_mask(elements, p or 0.5)


def recomputed_feed_forward(x: Tensor, first: nn.Linear, second: nn.Linear, p: float) -> Tensor:
    """W2 Dropout(ReLU(W1 x + b1)) + b2, in training on a CPU.

    Hidden activations zeroed by ReLU or dropout have no gradient. So the hidden activations themselves are the mask of
    the gradient, and the factor 1 / (1 - p) is applied in the matrix product.

    Args:
        x: (... d).
        first: d to hidden channels.
        second: hidden channels to d.
        p: dropout probability.
    """
    flat, weights = _in_one_type(x.reshape(-1, x.shape[-1]), first.weight, first.bias, second.weight, second.bias)
    with torch.autocast("cpu", enabled=False):
        out: Tensor = _RecomputedFeedForward.apply(flat, *weights, p)
    return out.view(x.shape)


def recomputed_self_attention(
    x: Tensor, weights: tuple[Tensor, Tensor, Tensor, Tensor], heads: int, p: float
) -> Tensor:
    """Multi-head self-attention with dropout on its weights and its output projection, in training on a CPU.

    Args:
        x: (b s d).
        weights: stacked input projection (3d d) and its bias (3d), output projection (d d) and its bias (d).
        heads: h.
        p: dropout probability.
    """
    x, weights = _in_one_type(x, *weights)  # type: ignore[assignment]
    with torch.autocast("cpu", enabled=False):
        out: Tensor = _RecomputedSelfAttention.apply(x.contiguous(), *weights, heads, p)
    return out


class _RecomputedFeedForward(torch.autograd.Function):
    """Keeps the input."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        x, w1, b1, w2, b2, p = given
        ctx.save_for_backward(x, w1, b1, w2)
        ctx.drawn = (p, draw_seed() if p else 0)
        out: Tensor = x.new_empty(x.shape[0], w2.shape[0])
        for rows, seed in _pieces(x.shape[0], 1, ctx.drawn[1]):
            hidden, factor = _hidden(x[rows], w1, b1, p, seed)
            torch.addmm(b2, hidden, w2.t(), alpha=factor, out=out[rows])
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, w1, b1, w2 = ctx.saved_tensors
        p, first_seed = ctx.drawn
        grad = grads[0].contiguous()
        grad_x = torch.empty_like(x)
        grad_w1, grad_b1, grad_w2 = (_sums(weight) for weight in (w1, b1, w2))
        for rows, seed in _pieces(x.shape[0], 1, first_seed):
            hidden, factor = _hidden(x[rows], w1, b1, p, seed)
            _add_product(grad_w2, grad[rows].t(), hidden, factor)
            through = torch.mm(grad[rows], w2).mul_(factor)
            torch.ops.aten.threshold_backward.grad_input(through, hidden, 0, grad_input=through)
            _add_product(grad_w1, through.t(), x[rows])
            grad_b1 += through.sum(dim=0, dtype=grad_b1.dtype)
            torch.mm(through, w1, out=grad_x[rows])
        given = (grad_w1, grad_b1, grad_w2, grad.sum(dim=0))
        return grad_x, *(value.to(x.dtype) for value in given), None


class _RecomputedSelfAttention(torch.autograd.Function):
    """Keeps the input."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        x, w_in, b_in, w_out, b_out, heads, p = given
        ctx.save_for_backward(x, w_in, b_in, w_out)
        ctx.drawn = (p, draw_seed() if p else 0)
        ctx.heads = heads
        out = torch.empty_like(x)
        for part, seed in _pieces(x.shape[0], x.shape[1], ctx.drawn[1]):
            mixed = _Attended(x[part], w_in, b_in, heads, p=p, seed=seed).mixed()
            torch.addmm(b_out, mixed, w_out.t(), out=out[part].view(-1, out.shape[-1]))
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, w_in, b_in, w_out = ctx.saved_tensors
        p, first_seed = ctx.drawn
        width = x.shape[-1]
        grad = grads[0].contiguous()
        grad_x = torch.empty_like(x)
        grad_w_in, grad_b_in, grad_w_out = (_sums(weight) for weight in (w_in, b_in, w_out))
        for part, seed in _pieces(x.shape[0], x.shape[1], first_seed):
            attended = _Attended(x[part], w_in, b_in, ctx.heads, p=p, seed=seed)
            flat = grad[part].reshape(-1, width)
            _add_product(grad_w_out, flat.t(), attended.mixed())
            packed = attended.backward(flat @ w_out)
            _add_product(grad_w_in, packed.t(), x[part].reshape(-1, width))
            grad_b_in += packed.sum(dim=0, dtype=grad_b_in.dtype)
            torch.mm(packed, w_in, out=grad_x[part].view(-1, width))
        given = (grad_w_in, grad_b_in, grad_w_out, grad.sum(dim=(0, 1)))
        return grad_x, *(value.to(x.dtype) for value in given), None, None


class _Attended:
    """Attention over one piece (m s d): projections, weights, and their backward pass."""

    def __init__(self, x: Tensor, w_in: Tensor, b_in: Tensor, heads: int, *, p: float, seed: int) -> None:
        self.shape, self.p, self.seed = x.shape, p, seed
        m, s, d = x.shape
        packed = torch.addmm(b_in, x.reshape(-1, d), w_in.t()).view(m, s, 3, heads, d // heads)
        self.q, self.k, self.v = (part.contiguous() for part in packed.permute(2, 0, 3, 1, 4).flatten(1, 2))
        self.scale = 1 / math.sqrt(d // heads)
        scores = torch.bmm(self.q, self.k.transpose(1, 2)).mul_(self.scale)
        self.weights = scores.softmax(dim=-1, dtype=torch.promote_types(x.dtype, torch.float32))
        self.dropped = self._drop(self.weights).to(x.dtype)

    def mixed(self) -> Tensor:
        """(m s, d): weighted values of every query."""
        return self._together(torch.bmm(self.dropped, self.v))

    def backward(self, grad: Tensor) -> Tensor:
        """(m s, d), gradient of `mixed` -> (m s, 3d), gradient of the projections."""
        m, s, _ = self.shape
        grad = grad.view(m, s, -1, self.q.shape[-1]).transpose(1, 2).flatten(0, 1)
        through = self._drop(torch.bmm(grad, self.v.transpose(1, 2)).to(self.weights.dtype))
        through = torch.ops.aten._softmax_backward_data(through, self.weights, -1, through.dtype)  # noqa: SLF001
        through = through.to(grad.dtype).mul_(self.scale)
        parts = (torch.bmm(through, self.k), torch.bmm(through.transpose(1, 2), self.q))
        return torch.cat(
            [*map(self._together, parts), self._together(torch.bmm(self.dropped.transpose(1, 2), grad))], 1
        )

    def _together(self, x: Tensor) -> Tensor:
        """(m h, s, c) -> (m s, d)."""
        m, s, d = self.shape
        return x.view(m, -1, s, x.shape[-1]).transpose(1, 2).reshape(m * s, d)

    def _drop(self, x: Tensor) -> Tensor:
        """The piece's mask on x."""
        if not self.p:
            return x
        out = torch.empty_like(x)
        mask_into(out, x, self.p, self.seed, scaled=True)
        return out


def _hidden(x: Tensor, w1: Tensor, b1: Tensor, p: float, seed: int) -> tuple[Tensor, float]:
    """Masked hidden activations, and the factor that is not applied yet."""
    hidden = torch.addmm(b1, x, w1.t()).relu_()
    return hidden, mask_into(hidden, hidden, p, seed, scaled=False) if p else 1.0


def _pieces(count: int, rows_each: int, seed: int) -> Iterator[tuple[slice, int]]:
    """Slices over ``count`` items of ``rows_each`` rows, each with its own seed."""
    step = max(1, _ROWS // rows_each)
    for number, start in enumerate(range(0, count, step)):
        yield slice(start, min(start + step, count)), seed + number


def _sums(weight: Tensor) -> Tensor:
    """Sum of the gradients of the pieces, in float32 or better."""
    return torch.zeros_like(weight, dtype=torch.promote_types(weight.dtype, torch.float32))


def _add_product(total: Tensor, a: Tensor, b: Tensor, factor: float = 1.0) -> None:
    """total += factor a b."""
    if total.dtype == a.dtype:
        total.addmm_(a, b, alpha=factor)
    else:
        total.add_(a @ b, alpha=factor)


def _in_one_type(x: Tensor, *weights: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The tensors in the type of autocast, if it is on."""
    if not torch.is_autocast_enabled("cpu"):
        return x, weights
    dtype = torch.get_autocast_dtype("cpu")
    return x.to(dtype), tuple(weight.to(dtype) for weight in weights)
