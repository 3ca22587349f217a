"""The small table a run ends with: scores beside the floors that they must be read against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from avelzoo.cli.render import percent, table
from avelzoo.components import LEAK_MARK, LEAK_NOTE, LEAKING_PROTOCOLS

if TYPE_CHECKING:
    from rich.table import Table

FLOORS: dict[str, str] = {
    "background": "background everywhere",
    "own_category_all_event": "its own category in every segment",
    "category_oracle_all_event": "the true category in every segment",
}
"""What each floor's predictor answers, by its key in the scores."""


def _share(*keys: str) -> Callable[[Mapping[str, Any]], str]:
    """A function that finds a fraction under these keys and puts it in percent."""

    def find(scores: Mapping[str, Any]) -> str:
        value: Any = scores
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return percent(value)

    return find


MEASURES = (
    ("video category accuracy", _share("category_accuracy")),
    ("event/background balanced accuracy", _share("foreground_background", "balanced_accuracy")),
    ("segment IoU where the category is right", _share("localization", "segment_iou")),
    ("segment accuracy on partial events", _share("partial_event", "segment_accuracy")),
    ("event F1 at IoU 0.5", _share("event_f1_iou50")),
)


def score_table(scores: Mapping[str, Mapping[str, Any]]) -> Table:
    """Scores by split, in percent.

    Args:
        scores: split -> what `avelzoo.metrics.score` returns.
    """
    splits = list(scores)
    lines: list[tuple[str, Callable[[Mapping[str, Any]], str]]] = [
        ("segment accuracy", _share("segment_accuracy")),
        ("  95 % interval over videos", _interval),
        *_other_threshold(scores),
        *((f"  floor: {label}", _share("floors", key)) for key, label in FLOORS.items()),
        *((f"  reference: {name}", _share("references", name)) for name in _references(scores)),
        *MEASURES,
    ]
    rows = [(label, *(value(scores[split]) for split in splits)) for label, value in lines]
    return table(("scores in percent", *splits), rows, right=splits)


def _other_threshold(
    scores: Mapping[str, Mapping[str, Any]],
) -> list[tuple[str, Callable[[Mapping[str, Any]], str]]]:
    """The accuracy at the threshold that does not decide, where it differs on any split."""
    both = [found["thresholds"] for found in scores.values() if "thresholds" in found]
    if all(found["fixed"]["segment_accuracy"] == found["val"]["segment_accuracy"] for found in both):
        return []
    other = "fixed" if both[0]["decides"] == "val" else "val"
    found = both[0][other]
    noun = "relevance" if found["distance"] is None else "distance"
    label = {"fixed": f"at the fixed {noun}", "val": f"at the {noun} chosen on val"}[other]
    return [(f"  {label}, {found[noun]:.2f}", _share("thresholds", other, "segment_accuracy"))]


def weak_labels(protocol: str | None) -> str:
    """The weak labels of a run, with a mark where they leak the event's duration; empty under full supervision."""
    if protocol in LEAKING_PROTOCOLS:
        return f"{protocol} {LEAK_MARK} {LEAK_NOTE}"
    return protocol or ""


def _references(scores: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return sorted({name for found in scores.values() for name in found.get("references", {})})


def _interval(scores: Mapping[str, Any]) -> str:
    ends = scores.get("segment_accuracy_interval")
    return f"{percent(ends[0])} - {percent(ends[1])}" if ends else "-"
