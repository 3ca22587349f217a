"""The scores of a split as frozen records, and as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from types import UnionType
from typing import Any, Self, Union, get_args, get_origin, get_type_hints


class _Record:
    """Mixin: a record as plain data and back."""

    def to_dict(self) -> dict[str, Any]:
        """The record as data that JSON can hold; a group that does not apply (thresholds) is left out."""
        return _plain({k: v for k, v in asdict(self).items() if v is not None or k not in self._optional()})  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of ``to_dict``; names that are not the record's are ignored.

        Raises:
            KeyError: a score is missing.
        """
        hints, known = get_type_hints(cls), fields(cls)  # type: ignore[arg-type]
        optional = cls._optional()
        given = [f.name for f in known if f.name in data or f.name not in optional]
        return cls(**{name: _typed(hints[name], data[name]) for name in given})

    @classmethod
    def _optional(cls) -> set[str]:
        return {f.name for f in fields(cls) if f.default is None}  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Floors(_Record):
    """Segment accuracies without localization, see `floor_accuracies`."""

    background: float
    category_oracle_all_event: float
    own_category_all_event: float


@dataclass(frozen=True, kw_only=True)
class ForegroundBackground(_Record):
    """Event against background, see `foreground_background`."""

    balanced_accuracy: float | None
    foreground_recall: float | None
    background_recall: float | None


@dataclass(frozen=True, kw_only=True)
class Localization(_Record):
    """Overlap and boundaries given the right category, see `localization_scores`."""

    segment_iou: float | None
    segment_iou_all_event: float | None
    start_error_seconds: float | None
    end_error_seconds: float | None
    boundary_error_seconds: float | None
    videos: int
    runs: int
    missed: int


@dataclass(frozen=True, kw_only=True)
class PartialEvent(_Record):
    """Videos with event and background segments both, see `partial_event`."""

    segment_accuracy: float | None
    videos: int


@dataclass(frozen=True, kw_only=True)
class EventScores(_Record):
    """Whole events at temporal IoU 0.5, see `event_scores`."""

    precision: float | None
    recall: float | None
    predicted_events: int
    true_events: int
    matched_events: int

    @property
    def f1(self) -> float | None:
        """2 matched / (predicted + true); None without events."""
        total = self.predicted_events + self.true_events
        return 2 * self.matched_events / total if total else None


@dataclass(frozen=True, kw_only=True)
class MacroScores(_Record):
    """Means over categories, see `macro_scores`."""

    segment_accuracy: float | None
    category_recall: float | None
    categories: int


@dataclass(frozen=True, kw_only=True)
class CategoryScores(_Record):
    """The videos of one category, see `per_category`."""

    category: str
    videos: int
    segment_accuracy: float | None
    all_event: float | None
    category_recall: float | None


@dataclass(frozen=True, kw_only=True)
class AbsentEvent(_Record):
    """Videos without an event segment, see `absent_event`."""

    rate: float | None
    videos: int


@dataclass(frozen=True, kw_only=True)
class Ranking(_Record):
    """The relevance without a threshold, see `ranking_scores`."""

    auroc: float | None
    average_precision: float | None
    best_accuracy: float
    event_f1_mean: float | None = None
    event_f1_best: float | None = None


@dataclass(frozen=True, kw_only=True)
class CalibrationBin(_Record):
    """One bin of the relevance: its edges, its segments, their mean score and the share of events among them."""

    low: float
    high: float
    segments: int
    score: float | None
    event_share: float | None


@dataclass(frozen=True, kw_only=True)
class Calibration(_Record):
    """Whether the relevance is a probability, see `calibration_error`."""

    expected_error: float
    bins: tuple[CalibrationBin, ...]


@dataclass(frozen=True, kw_only=True)
class ThresholdScores(_Record):
    """Short scores at one threshold of the relevance.

    Attributes:
        relevance: the threshold.
        distance: the same as a distance; None where there is none, or it is infinite.
        segment_accuracy, balanced_accuracy, event_f1_iou50: what deciding at it scores.
    """

    relevance: float
    distance: float | None
    segment_accuracy: float
    balanced_accuracy: float | None
    event_f1_iou50: float | None


@dataclass(frozen=True, kw_only=True)
class Thresholds(_Record):
    """A head's fixed threshold and the one chosen on val.

    Attributes:
        decides: ``fixed`` or ``val``, the one behind all other scores.
        fixed, val: scores at either.
    """

    decides: str
    fixed: ThresholdScores
    val: ThresholdScores


@dataclass(frozen=True, kw_only=True)
class Scores(_Record):
    """Every score of a split. Accuracies are fractions, errors in time are seconds, undefined values are None.

    Attributes:
        segment_accuracy: `segment_accuracy`, the headline number of AVE papers.
        segment_accuracy_interval: its 95 % interval, `bootstrap_interval` over videos; None where it was left out.
        category_accuracy: `category_accuracy`.
        floors: `floor_accuracies`.
        references: `reference_accuracies`, by name.
        foreground_background: `foreground_background`.
        localization: `localization_scores`.
        partial_event: `partial_event`.
        event_f1_iou50, events_iou50: `event_scores`, and its F1 alone.
        macro: `macro_scores`.
        calibration: `calibration_error` of the relevance score.
        per_category: `per_category`.
        videos, segments: how many were scored.
        thresholds: scores at the fixed threshold and at that of val, for heads that decide by a threshold.
        absent_event, ranking: `absent_event` and `ranking_scores`; None in results of older versions.
    """

    segment_accuracy: float
    segment_accuracy_interval: tuple[float, float] | None
    category_accuracy: float | None
    floors: Floors
    references: Mapping[str, float]
    foreground_background: ForegroundBackground
    localization: Localization
    partial_event: PartialEvent
    event_f1_iou50: float | None
    events_iou50: EventScores
    macro: MacroScores
    calibration: Calibration
    per_category: tuple[CategoryScores, ...]
    videos: int
    segments: int
    thresholds: Thresholds | None = None
    absent_event: AbsentEvent | None = None
    ranking: Ranking | None = None


def score_names(record: type[_Record] = Scores, prefix: str = "") -> set[str]:
    """Dotted names of the record's single scores, such as ``floors.background``."""
    names: set[str] = set()
    for name, hint in get_type_hints(record).items():
        nested = next((kind for kind in (hint, *get_args(hint)) if is_dataclass(kind)), None)
        if nested is None or get_origin(hint) is tuple:
            names.add(prefix + name)
        else:
            names |= score_names(nested, f"{prefix}{name}.")  # type: ignore[arg-type]
    return names


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, tuple | list) else value


def _typed(hint: Any, value: Any) -> Any:
    """Plain data as what a field holds."""
    if is_dataclass(hint):
        return hint.from_dict(value)  # type: ignore[union-attr]
    arguments = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return None if value is None else _typed(arguments[0], value)
    if get_origin(hint) is tuple:
        return tuple(_typed(arguments[0], inner) for inner in value)
    return value
