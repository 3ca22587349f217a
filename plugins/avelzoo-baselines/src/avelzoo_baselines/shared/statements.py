"""Sentences that several recipes list under ``assumptions`` or ``limits``."""

from __future__ import annotations

from avelzoo import Supervision

CATEGORICAL = (
    "Weak loss: categorical cross-entropy of the video's probabilities. No source states the paper's loss; the soft"
    " margin of other systems' public code has no gradient once the category is right."
)
GENERAL_WEAK = (
    "Weak loss: the general objective of Ge et al. 2023, category and mean relevance. No source states the paper's"
    " loss; gates as in CMRAN's public code only increase once the category is right."
)
GATES = (
    "It cannot learn background from weak labels: once the right category leads, the loss of softmax(max_t gate_t c)"
    " only increases the gates."
)
SQUASHED_GATE = (
    "Under weak supervision it never predicts background in an event video: the public evaluation applies a sigmoid to"
    " a gate that is already a probability, so the result always exceeds 1/2."
)
POOLED_MAXIMUM = (
    "It cannot learn background from weak labels: the public loss uses only the maximum over segments, and its gradient"
    " vanishes once the category is right."
)


def where_weak(supervision: Supervision, *sentences: str) -> tuple[str, ...]:
    """These sentences under weak supervision, none under full."""
    return sentences if supervision == "weak" else ()
