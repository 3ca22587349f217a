"""JSON: everything that is known of a video."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from avelzoo.config import Help
from avelzoo.formats import FormatConfig

if TYPE_CHECKING:
    import numpy as np

    from avelzoo.timeline.records import Localization, SegmentScores


@dataclass(frozen=True, kw_only=True)
class JsonConfig(FormatConfig):
    """JSON: status, events, decision and scores of every segment.

    >>> JsonConfig().suffix
    '.json'
    """

    suffix: ClassVar[str] = ".json"

    segments: Annotated[bool, Help("include the scores of every segment")] = True

    def text(self, result: Localization) -> str:
        data: dict[str, Any] = {
            "file": result.path,
            "status": result.status,
            "reason": result.reason,
            "duration": result.duration,
            "decision": result.decision,
            "notices": list(result.notices),
            "events": result.timeline.to_records(),
            "preference": dict(result.preference),
        }
        if self.segments and result.scores is not None:
            data["scores"] = _plain(result.scores)
        return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(scores: SegmentScores) -> dict[str, Any]:
    found = {
        "relevance": scores.relevance,
        "category_scores": scores.category_scores,
        "audio_scores": scores.audio_scores,
        "visual_scores": scores.visual_scores,
        "audio_share": scores.audio_share,
        "visual_share": scores.visual_share,
    }
    return {
        "seconds_per_segment": scores.seconds_per_segment,
        "categories": list(scores.categories),
        **{name: _numbers(array) for name, array in found.items() if array is not None},
    }


def _numbers(array: np.ndarray) -> Any:
    """Nested lists; six digits, null for what is no number."""
    if array.ndim > 1:
        return [_numbers(row) for row in array]
    return [float(f"{value:.6g}") if abs(value) < float("inf") else None for value in array.tolist()]
