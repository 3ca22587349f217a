"""Sentences that several recipes list under ``assumptions`` or ``limits``."""

from __future__ import annotations

from avelzoo import Supervision

CATEGORICAL = (
    "Weak loss: categorical cross-entropy of the video's probabilities. No source states the paper's; the soft margin"
    " of other systems' public code has no gradient left once the category is right."
)
GENERAL_WEAK = (
    "Weak loss: the general objective of Ge et al. 2023, category and mean relevance. No source states the paper's;"
    " gates as in CMRAN's public code only rise once the category is right."
)
GATES = (
    "Weak labels cannot teach it background: once the right category leads, the loss of softmax(max_t gate_t c) lets"
    " every gate only rise."
)
SQUASHED_GATE = (
    "Weak, it never answers background inside an event video: the public evaluation takes the sigmoid of a gate that is"
    " one already, which always exceeds 1/2."
)
POOLED_MAXIMUM = (
    "Weak labels cannot teach it background: the public loss sees the maximum over the segments alone, and its gradient"
    " dies once the category is right."
)


def where_weak(supervision: Supervision, *sentences: str) -> tuple[str, ...]:
    """These sentences under weak supervision, none under full."""
    return sentences if supervision == "weak" else ()
