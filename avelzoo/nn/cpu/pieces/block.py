"""Feed-forward layer, and a whole transformer encoder block, of one piece."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from avelzoo.nn.cpu.dropout import add_masked, factor_of
from avelzoo.nn.cpu.pieces.attention import SelfAttention
from avelzoo.nn.cpu.pieces.budget import SHARED
from avelzoo.nn.cpu.pieces.layers import Layer, Weights, affine, seed_for
from avelzoo.nn.cpu.pieces.saved import Saved
from avelzoo.nn.cpu.pieces.sums import scaled_product


class FeedForward(Layer):
    """W2 Dropout(ReLU(W1 x + b1)) + b2.

    Hidden activations zeroed by ReLU or dropout have no gradient. So the masked hidden activations are themselves the
    mask of the gradient, and the factor 1 / (1 - p) is applied in the matrix products.

    Args:
        weights: W1 (k d), b1 (k), W2 (d k), b2 (d), with k hidden channels.
        p: dropout probability of the hidden activations.
    """

    def __init__(self, weights: tuple[Tensor, Tensor, Tensor, Tensor], p: float) -> None:
        super().__init__(*weights, dropout=(p,))

    def forward(self, x: Tensor, weights: Weights, piece: int, saved: Saved | None) -> Tensor:
        """(r d) -> (r d)."""
        w1, b1, w2, b2 = weights.values[self.first : self.first + 4]
        x = x.to(w1.dtype)
        hidden, factor = self._hidden(x, w1, b1, piece)
        if saved is not None:
            saved.append(x)
            saved.extend(SHARED.keep([hidden]))
        return torch.addmm(b2, hidden, w2.t(), alpha=factor)

    def backward(self, grad: Tensor, weights: Weights, piece: int, saved: list[Any], *, wanted: bool) -> Tensor:
        """(r d) -> (r d)."""
        return self.add_to(None, grad, weights, piece, saved)

    def add_to(
        self, total: Tensor | None, grad: Tensor, weights: Weights, piece: int, saved: list[Any], *, factor: float = 1.0
    ) -> Tensor:
        """Gradient of the input for ``factor`` times ``grad``, plus ``total``, the gradient of another path to it."""
        w1, b1, w2, _ = weights.values[self.first : self.first + 4]
        x = saved[0]
        hidden, own = (saved[1], factor_of(self.dropout[0])) if saved[1].numel() else self._hidden(x, w1, b1, piece)
        weights.gradients.add_product(self.first + 2, grad.t(), hidden, own * factor)
        weights.gradients.add_rows(self.first + 3, grad, factor)
        through = scaled_product(grad, w2, own * factor)
        torch.ops.aten.threshold_backward.grad_input(through, hidden, 0, grad_input=through)
        weights.gradients.add_product(self.first, through.t(), x)
        weights.gradients.add_rows(self.first + 1, through)
        return through @ w1 if total is None else torch.addmm(total, through, w1)

    def _hidden(self, x: Tensor, w1: Tensor, b1: Tensor, piece: int) -> tuple[Tensor, float]:
        """Masked hidden activations (r k), and the factor that is not applied yet."""
        hidden = affine(x, w1, b1, relu=True)
        return self.masked(hidden, 0, piece, out=hidden)


class EncoderBlock(Layer):
    """LN(x + Dropout(Attention(x))), then LN(x + Dropout(FeedForward(x))).

    Args:
        attention: its parts, with their own parameters.
        feedforward: as above.
        norms: weight and bias (d) of both norms.
        epsilons: of both norms.
        p: dropout probability of both branches.
    """

    repeats = True

    def __init__(
        self,
        attention: SelfAttention,
        feedforward: FeedForward,
        norms: tuple[Tensor, Tensor, Tensor, Tensor],
        epsilons: tuple[float, float],
        p: float,
    ) -> None:
        parameters = (*attention.parameters, *feedforward.parameters, *norms)
        super().__init__(*parameters, dropout=(p, p, *attention.dropout, *feedforward.dropout))
        self.attention, self.feedforward, self.epsilons = attention, feedforward, epsilons

    def draw(self) -> None:
        """In the order in which the layers draw one by one."""
        self.attention.first, self.feedforward.first = self.first, self.first + 4
        self.attention.draw()
        one = seed_for(self.dropout[0])
        self.feedforward.draw()
        self.seeds = (one, seed_for(self.dropout[1]))

    def forward(self, x: Tensor, weights: Weights, piece: int, saved: Saved | None) -> Tensor:
        """(m s, d) -> (m s, d)."""
        x = x.to(weights.values[self.first].dtype)
        parts: tuple[Saved, Saved] | tuple[None, None] = (None, None) if saved is None else (Saved(), Saved())
        attending, feeding = parts
        one = self._residual(x, self.attention.forward(x, weights, piece, attending), 0, piece, saved)
        middle, *stats_one = self._norm(one, weights, 0)
        two = self._residual(middle, self.feedforward.forward(middle, weights, piece, feeding), 1, piece, saved)
        out, *stats_two = self._norm(two, weights, 1)
        if saved is not None and feeding is not None:
            feeding.pop(0)  # `middle`: computing it from `one` again is cheaper than keeping it
            saved.extend([[one, *stats_one], [two, *stats_two], attending, feeding])
        return out

    def output(self, weights: Weights, saved: list[Any]) -> Tensor:
        """(m s, d): computing the last norm again is cheaper than keeping it."""
        return self._norm(saved[1][0], weights, 1)[0]

    def backward(self, grad: Tensor, weights: Weights, piece: int, saved: list[Any], *, wanted: bool) -> Tensor:
        """(m s, d) -> (m s, d)."""
        one, two, attending, feeding = saved
        grad = self._norm_backward(grad, two, weights, 1)
        middle = self._norm(one[0], weights, 0)[0]
        branch, factor = self._branch(grad, 1, piece)
        grad = self.feedforward.add_to(grad, branch, weights, piece, [middle, *feeding], factor=factor)
        grad = self._norm_backward(grad, one, weights, 0)
        branch, factor = self._branch(grad, 0, piece)
        return self.attention.add_to(grad, branch, weights, piece, attending, factor=factor)

    def _residual(self, x: Tensor, branch: Tensor, number: int, piece: int, saved: Saved | None) -> Tensor:
        """x + Dropout(branch), in the branch unless it is saved."""
        p = self.dropout[number]
        out = branch if saved is None else saved.room(branch)
        if p:
            add_masked(out, x, branch, p, self.seeds[number] + piece)
        else:
            torch.add(x, branch, out=out)
        return out

    def _branch(self, grad: Tensor, number: int, piece: int) -> tuple[Tensor, float]:
        """Gradient of a branch, and the factor that is not applied yet."""
        return self.masked(grad, number, piece, out=torch.empty_like(grad))

    def _norm(self, x: Tensor, weights: Weights, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """LayerNorm, means and reciprocal deviations."""
        scale, shift = self._norm_weights(weights, number)
        return torch.native_layer_norm(x, x.shape[-1:], scale, shift, self.epsilons[number])

    def _norm_backward(self, grad: Tensor, kept: list[Tensor], weights: Weights, number: int) -> Tensor:
        """Gradient of the norm's input."""
        x, mean, rstd = kept
        scale, shift = self._norm_weights(weights, number)
        back, grad_scale, grad_shift = torch.ops.aten.native_layer_norm_backward(
            grad, x, x.shape[-1:], mean, rstd, scale, shift, [True, True, True]
        )
        weights.gradients.add(self.first + 8 + 2 * number, grad_scale)
        weights.gradients.add(self.first + 9 + 2 * number, grad_shift)
        return back  # type: ignore[no-any-return]

    def _norm_weights(self, weights: Weights, number: int) -> list[Tensor]:
        return weights.originals[self.first + 8 + 2 * number : self.first + 10 + 2 * number]
