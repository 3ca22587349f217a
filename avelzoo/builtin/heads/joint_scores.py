"""Category and relevance from scores of both modalities, without parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from avelzoo.builtin.heads.branches import decide
from avelzoo.channels import AUDIO_SCORES, VISUAL_SCORES
from avelzoo.contracts import Head
from avelzoo.nn.decision import Decision
from avelzoo.records import Encoded, HeadOutput, MemoryView, Predictions

if TYPE_CHECKING:
    from avelzoo.builtin.heads.configs import JointScoresConfig

SMALLEST = 1e-6
"""Lowest score whose logarithm is taken."""


class JointScores(Head):
    """f_tk = sqrt(a_tk v_tk); the category is argmax_k mean_t f_tk, the relevance its f_t.

    Args:
        config: the options.
    """

    decision: Decision

    def __init__(self, config: JointScoresConfig) -> None:
        super().__init__()
        self.decision = Decision(threshold=config.threshold, use_tuned=config.threshold_from == "val")

    def forward(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """Scores (b t n) of both modalities -> event_logits (b n), relevance_logits (b t)."""
        audio, visual = encoded[AUDIO_SCORES], encoded[VISUAL_SCORES]
        joint = (audio * visual).sqrt()
        mean = joint.mean(dim=1)
        relevance = joint.gather(2, mean.argmax(dim=1)[:, None, None].expand(-1, joint.shape[1], 1)).squeeze(2)
        return HeadOutput(event_logits=_log(mean), relevance_logits=relevance.clamp(SMALLEST, 1 - SMALLEST).logit())

    def decode(self, output: HeadOutput) -> Predictions:
        """The best category in segments with a relevance above the threshold, background elsewhere."""
        assert output.event_logits is not None and output.relevance_logits is not None
        return decide(output.event_logits, output.relevance_logits, self.decision)


def _log(scores: Tensor) -> Tensor:
    return torch.log(scores.clamp_min(SMALLEST))
