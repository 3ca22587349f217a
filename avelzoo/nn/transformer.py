"""Post-norm transformer blocks."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo.nn.attention import Attention
from avelzoo.nn.cpu.dropout import Dropout
from avelzoo.nn.cpu.pieces import block as pieces
from avelzoo.nn.cpu.pieces.chain import chain_of, worth_pieces
from avelzoo.nn.cpu.pieces.function import run
from avelzoo.nn.cpu.pieces.layers import Layer


class FeedForward(nn.Module):
    """Feed-forward layer W2 Dropout(ReLU(W1 x)).

    Args:
        width: input and output channels d.
        hidden: hidden channels.
        dropout: dropout on the hidden activations.
    """

    def __init__(self, width: int, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(... d) -> (... d)."""
        if self.training and worth_pieces(x, self.linear1.out_features, self.dropout.p):
            return run([self.piece_layer()], x.reshape(-1, 1, x.shape[-1])).view(x.shape)
        out: Tensor = self.linear2(self.dropout(F.relu(self.linear1(x))))
        return out

    def piece_layer(self) -> pieces.FeedForward:
        """This layer in a chain of `avelzoo.nn.cpu.pieces`."""
        one, two = self.linear1, self.linear2
        return pieces.FeedForward(
            (one.weight, one.bias, two.weight, two.bias), self.dropout.p if self.training else 0.0
        )


class SelfBlock(nn.Module):
    """Transformer encoder block: LN(x + Attention(x)), then LN(x + FeedForward(x)).

    Args:
        width: channels d.
        heads: attention heads.
        feedforward: hidden channels.
        dropout: on attention weights, on both branches and inside the feed-forward layer.
    """

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention = Attention(width, heads, dropout)
        self.feedforward = FeedForward(width, feedforward, dropout)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(b s d) -> (b s d)."""
        if layers := chain_of([self], x):
            return run(layers, x)
        x = self.norm1(x + self.dropout(self.attention(x)))
        out: Tensor = self.norm2(x + self.dropout(self.feedforward(x)))
        return out

    def piece_layers(self, length: int) -> list[Layer]:
        """This block in a chain of `avelzoo.nn.cpu.pieces`."""
        one, two = self.norm1, self.norm2
        return [
            pieces.EncoderBlock(
                self.attention.piece_layer(length),
                self.feedforward.piece_layer(),
                (one.weight, one.bias, two.weight, two.bias),
                (one.eps, two.eps),
                self.dropout.p if self.training else 0.0,
            )
        ]


class CrossBlock(nn.Module):
    """Transformer decoder block: the query attends to a memory; self-attention among the queries is optional.

    Standard decoders have self-attention; Ge et al.'s public decoder has none.

    Args:
        width: channels d.
        heads: attention heads.
        feedforward: hidden channels.
        dropout: as in `SelfBlock`.
        self_attention: apply LN(q + Attention(q)) first.
    """

    def __init__(
        self, width: int, heads: int, feedforward: int, dropout: float = 0.0, *, self_attention: bool = False
    ) -> None:
        super().__init__()
        self.self_attention = Attention(width, heads, dropout) if self_attention else None
        self.norm0 = nn.LayerNorm(width) if self_attention else None
        self.attention = Attention(width, heads, dropout)
        self.feedforward = FeedForward(width, feedforward, dropout)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        """(b q d), (b k d) -> (b q d)."""
        if self.self_attention is not None and self.norm0 is not None:
            query = self.norm0(query + self.dropout(self.self_attention(query)))
        return self.finish(query, self.attention(query, memory))

    @property
    def asks_once(self) -> bool:
        """Whether the query reaches the memory as it is given."""
        return self.self_attention is None

    def finish(self, query: Tensor, attended: Tensor) -> Tensor:
        """The layers after attention to the memory: (b q d) twice -> (b q d)."""
        query = self.norm1(query + self.dropout(attended))
        out: Tensor = self.norm2(query + self.dropout(self.feedforward(query)))
        return out
