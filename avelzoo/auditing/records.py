"""Result of an audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any

from avelzoo.auditing.claims import Claim
from avelzoo.auditing.epochs import Optimism
from avelzoo.comparing import Comparison
from avelzoo.metrics import Scores, Signature
from avelzoo.statistics import Interval


@dataclass(frozen=True, kw_only=True)
class LabelFacts:
    """What the labels of a split alone say; floors are segment accuracies without localization, as fractions.

    Attributes:
        videos, segments: how many are scored.
        categories: number of event categories.
        partial_videos: videos with event and background segments.
        leaked_videos: videos that are also in train.
        background: predicting background everywhere.
        true_category: predicting the true category everywhere.
        average_window: predicting the true category where more than half of its training videos have it; None without
            labels of train.
    """

    videos: int
    segments: int
    categories: int
    partial_videos: int
    leaked_videos: int
    background: float
    true_category: float
    average_window: float | None


@dataclass(frozen=True, kw_only=True)
class Part:
    """The score of some of the videos.

    Attributes:
        name: what they have in common.
        videos, segments, right: how many videos and segments, and how many segments are right.
        interval: segment accuracy and its interval over videos.
        true_category: floor of these videos, the true category in every segment.
    """

    name: str
    videos: int
    segments: int
    right: int
    interval: Interval
    true_category: float


@dataclass(frozen=True, kw_only=True)
class Variant:
    """The score against another label file.

    Attributes:
        name: label variant.
        accuracy: segment accuracy.
        differing: segments of the split whose label differs from the audited variant.
    """

    name: str
    accuracy: float
    differing: int


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Everything that an audit found. Accuracies are fractions.

    Attributes:
        predictions: the file; None for an audit of labels alone.
        format: its format.
        place: where the labels are from.
        signature: how the score was measured.
        labels: what the labels alone say.
        whole: the score of the split; None for labels alone.
        scores: all scores; None for labels alone.
        calibrated: whether the file has a relevance, so that ``scores.calibration`` means something.
        nameless: videos for which the file has neither a category nor an event segment.
        leak_free: the videos that are not in train; None if all are, or for labels alone.
        groups: name of a grouping -> its groups.
        variants: scores against other label files.
        claim: the claimed figure; None without one.
        optimism: choice of the epoch; None without accuracies per epoch.
        comparison: paired comparison with a second file; None without one.
        notes: what was assumed in reading, in sentences.
        verdict: what follows, in three to eight sentences.
    """

    predictions: str | None
    format: str | None
    place: str
    signature: Signature
    labels: LabelFacts
    whole: Part | None = None
    scores: Scores | None = None
    calibrated: bool = False
    nameless: int = 0
    leak_free: Part | None = None
    groups: Mapping[str, tuple[Part, ...]]
    variants: tuple[Variant, ...] = ()
    claim: Claim | None = None
    optimism: Optimism | None = None
    comparison: Comparison | None = None
    notes: tuple[str, ...] = ()
    verdict: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON; parts that do not apply are None."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, Signature):
        return str(value)
    if isinstance(value, Scores | Interval | Comparison):
        return value.to_dict()
    if isinstance(value, Optimism):
        return asdict(value) | {"gap": value.gap}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, tuple | list) else value
