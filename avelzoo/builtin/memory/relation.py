"""How much a segment deserves a slot."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from avelzoo.nn import jensen_shannon
from avelzoo.records import Unimodal


class Relation(Protocol):
    """Scores segments for a bank."""

    event_only: bool
    """Whether background segments are left out where their label is known."""
    rescored: bool
    """Whether stored entries draw a new score at each update."""

    def __call__(self, unimodal: Unimodal, relevance: Tensor | None) -> Tensor:
        """(b t) scores above 0; ``relevance`` (b t) is None where supervision is weak."""
        ...


class JsdRelation:
    """s = 1 - JSD(u^a, u^v) + y^r (eq. 3), without y^r where it is unknown (eq. 4). In [0.31, 2]."""

    event_only = False
    rescored = False

    def __call__(self, unimodal: Unimodal, relevance: Tensor | None) -> Tensor:
        """(b t) scores."""
        score = 1 - jensen_shannon(unimodal.audio_logits, unimodal.visual_logits)
        return score if relevance is None else score + relevance


class RandomRelation:
    """Uniform scores in (0, 1], drawn anew for stored and incoming segments alike at every update.

    A category's slots are then a uniform draw from what was stored and what came in, as Table 2's "choosing
    event-related segments randomly". Only event segments count where labels tell them.
    """

    event_only = True
    rescored = True

    def __call__(self, unimodal: Unimodal, relevance: Tensor | None) -> Tensor:
        """(b t) scores."""
        return self.draw(unimodal.audio_logits[..., 0])

    @staticmethod
    def draw(like: Tensor) -> Tensor:
        """Uniform in (0, 1], shaped like the argument. Drawn on the CPU so that every device sees the same."""
        return (1 - torch.rand(like.shape)).to(like.device)


class UnimodalClassifiers(nn.Module):
    """u^a = W_a A_t + b_a and u^v = W_v V_t + b_v, before the softmax (sec. 3.4.2).

    Args:
        audio_width: channels of A_t.
        visual_width: channels of V_t.
        n: event categories.
    """

    def __init__(self, audio_width: int, visual_width: int, n: int) -> None:
        super().__init__()
        self.audio = nn.Linear(audio_width, n)
        self.visual = nn.Linear(visual_width, n)

    def forward(self, audio: Tensor, visual: Tensor) -> Unimodal:
        """(b t d_audio), (b t d_visual) -> logits, both (b t n)."""
        return Unimodal(audio_logits=self.audio(audio), visual_logits=self.visual(visual))
