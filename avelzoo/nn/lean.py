"""Layers that keep less for the backward pass and touch memory less often, for CPUs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from avelzoo.nn.dropout import draw_seed, mask_into, pays


def lean_feed_forward(x: Tensor, first: nn.Linear, second: nn.Linear, p: float) -> Tensor:
    """W2 Dropout(ReLU(W1 x + b1)) + b2, in training on a CPU.

    A hidden activation that the ReLU or the dropout has zeroed is zero either way and passes no gradient, so the hidden
    activations themselves say where the gradient goes: no mask is kept and no second copy of them, and the factor
    1 / (1 - p) moves into the matrix product. Differentiable once.

    Args:
        x: (... d).
        first: d to hidden channels.
        second: hidden channels to d.
        p: dropout probability, below 1.
    """
    weights = (first.weight, first.bias, second.weight, second.bias)
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        x, *weights = (value.to(dtype) for value in (x, *weights))  # type: ignore[assignment]
    with torch.autocast("cpu", enabled=False):
        out: Tensor = _LeanFeedForward.apply(x.reshape(-1, x.shape[-1]), *weights, p)
    return out.view(x.shape)


class _LeanFeedForward(torch.autograd.Function):
    """Keeps the input and the hidden activations."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        x, w1, b1, w2, b2, p = given
        hidden = torch.addmm(b1, x, w1.t()).relu_()
        ctx.factor = 1.0
        if pays(hidden.numel(), p):
            ctx.factor = mask_into(hidden, hidden, p, draw_seed(), scaled=False)
        elif p > 0:
            hidden.mul_(torch.empty_like(hidden).bernoulli_(1 - p))
            ctx.factor = 1 / (1 - p)
        ctx.save_for_backward(x, hidden, w1, w2)
        return torch.addmm(b2, hidden, w2.t(), alpha=ctx.factor)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        x, hidden, w1, w2 = ctx.saved_tensors
        through = grad @ (w2 * ctx.factor)
        torch.ops.aten.threshold_backward.grad_input(through, hidden, 0, grad_input=through)
        grad_x = through @ w1 if ctx.needs_input_grad[0] else None
        grad_w2 = torch.mm(grad.t(), hidden).mul_(ctx.factor)
        return grad_x, through.t() @ x, through.sum(dim=0), grad_w2, grad.sum(dim=0), None
