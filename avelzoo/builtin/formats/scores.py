"""Score table of sed_scores_eval, from which sound event detection is evaluated at every threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from avelzoo.builtin.formats.writing import one_line, sheet
from avelzoo.formats import FormatConfig

if TYPE_CHECKING:
    import numpy as np

    from avelzoo.timeline.records import Localization, SegmentScores


@dataclass(frozen=True, kw_only=True)
class ScoresConfig(FormatConfig):
    """Score table of sed_scores_eval: onset and offset of every segment, and a column per category.

    A score is the segment's relevance times the category's share of its scores: s_tk = r_t p_tk. Category scores that
    are no probabilities become shares by a softmax over categories.

    >>> ScoresConfig().suffix
    '.scores.tsv'
    """

    suffix: ClassVar[str] = ".scores.tsv"

    def text(self, result: Localization) -> str:
        if result.scores is None:
            return sheet([("onset", "offset")], delimiter="\t")
        scores = result.scores
        header = ("onset", "offset", *map(one_line, scores.categories))
        step, values = scores.seconds_per_segment, detection_scores(scores)
        rows = (
            (f"{i * step:.3f}", f"{(i + 1) * step:.3f}", *(f"{value:.6f}" for value in row))
            for i, row in enumerate(values.tolist())
        )
        return sheet((header, *rows), delimiter="\t")


def detection_scores(scores: SegmentScores) -> np.ndarray:
    """(t n) in [0, 1], s_tk = r_t p_tk."""
    import numpy as np

    found = scores.category_scores.astype(np.float64)
    if found.size and (found.min() < 0 or found.sum(axis=1).max() > 1 + 1e-4):
        found = np.exp(found - found.max(axis=1, keepdims=True))
        found /= found.sum(axis=1, keepdims=True)
    result: np.ndarray = scores.relevance[:, None] * found
    return result
