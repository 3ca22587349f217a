"""Scores by which segments enter a bank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from avelzoo.nn import jensen_shannon
from avelzoo.tensor_record import TensorRecord


@dataclass(frozen=True, kw_only=True)
class Unimodal(TensorRecord):
    """Event logits from one modality each, both (b t n); eq. 2's u before its softmax."""

    audio_logits: Tensor
    visual_logits: Tensor


class Relation(Protocol):
    """Scores segments for a bank."""

    event_only: bool
    """Whether segments labelled background are excluded."""
    rescored: bool
    """Whether stored entries draw a new score at each update."""

    def __call__(self, unimodal: Unimodal, relevance: Tensor | None) -> Tensor:
        """(b t) scores above 0; ``relevance`` (b t) is None under weak supervision."""
        ...


class JsdRelation:
    """s = 1 - JSD(u^a, u^v) + y^r (eq. 3), without y^r if it is unknown (eq. 4). In [0.31, 2]."""

    event_only = False
    rescored = False

    def __call__(self, unimodal: Unimodal, relevance: Tensor | None) -> Tensor:
        """(b t) scores."""
        score = 1 - jensen_shannon(unimodal.audio_logits, unimodal.visual_logits)
        return score if relevance is None else score + relevance


class RandomRelation:
    """Uniform scores in (0, 1], drawn at every update for both stored and new segments.

    A category's slots are therefore a uniform sample of stored and new segments, as Table 2's "choosing event-related
    segments randomly". If segments are labelled, only event segments are candidates.
    """

    event_only = True
    rescored = True

    def __call__(self, unimodal: Unimodal, relevance: Tensor | None) -> Tensor:
        """(b t) scores."""
        return self.draw(unimodal.audio_logits[..., 0])

    @staticmethod
    def draw(like: Tensor) -> Tensor:
        """Uniform in (0, 1], with the argument's shape. Drawn on the CPU, so that all devices use the same numbers."""
        drawn = 1 - torch.rand(like.shape)
        return drawn.pin_memory().to(like.device, non_blocking=True) if like.is_cuda else drawn


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
