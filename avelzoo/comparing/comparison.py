"""The result of a comparison: rows, pairs and groups as frozen records, and as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from avelzoo.comparing.sentences import sentences
from avelzoo.statistics import Interval


@dataclass(frozen=True, kw_only=True)
class RowFloors:
    """Segment accuracies without localization, in one row of a table.

    Attributes:
        background: background in every segment.
        category_oracle: the true category in every segment.
        own_category: the system's predicted category in every segment, mean over its runs; None if it predicted
            segments only.
    """

    background: float
    category_oracle: float
    own_category: float | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One system.

    Attributes:
        name: its name.
        seeds: seeds of its runs; empty if unknown.
        values: score of each run; NaN where it is undefined.
        std: sample standard deviation over runs (divided by s - 1); None for one run.
        interval: mean over runs, and its interval over videos and, with several runs, seeds.
        floors: floors on the same videos; None for other measures than segment accuracy.
        gain: segment accuracy minus the own-category floor, paired by video; None without this floor.
        letter: rows that share a letter cannot be separated; empty if not all pairs were compared.
        leaks_duration: trained with labels that contain the event's share of the video.
    """

    name: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    std: float | None
    interval: Interval
    floors: RowFloors | None = None
    gain: Interval | None = None
    letter: str = ""
    leaks_duration: bool = False

    @property
    def mean(self) -> float:
        """Mean over runs."""
        return self.interval.value

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self.values)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two systems on the same videos; differences are first minus second.

    Attributes:
        first, second: names.
        difference: difference of the means, and its interval.
        p: p-value of the test that swaps whole videos; NaN if the measure is undefined.
        exact: whether all swaps were enumerated.
        adjusted_p: p after Holm's correction over all pairs of the comparison.
        effect_size: difference in standard deviations of the videos' differences; None without spread.
        minimum_detectable: smallest difference that a test on these videos shows in 80 % of cases; None without spread.
        separated: adjusted p below 1 - level, and 0 outside the interval.
        practically_equal: the interval lies within +- the margin; False says not shown to be equal.
        identical: whether all predictions are the same.
        superiority: share of pairs of runs in which the first is better, ties half; None for single runs.
    """

    first: str
    second: str
    difference: Interval
    p: float
    exact: bool
    adjusted_p: float
    effect_size: float | None
    minimum_detectable: float | None
    separated: bool
    practically_equal: bool
    identical: bool = False
    superiority: float | None = None


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rows and differences on a part of the videos; there are no tests within groups.

    Attributes:
        name: name of the group.
        videos: number of its videos.
        rows: one row per system.
        differences: difference of each pair of the comparison, in its order.
    """

    name: str
    videos: int
    rows: tuple[Row, ...]
    differences: tuple[Interval, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Systems compared on the same videos.

    Attributes:
        measure: name of the measure, such as ``segment_accuracy``.
        title: its name in words.
        unit: ``percent`` for fractions, or ``seconds``.
        higher_is_better: whether a larger value is better.
        videos, segments: number of videos and of segments.
        data: hash of their labels, as in signatures.
        rows: the systems, best first.
        pairs: pairs of systems: all, or each one against the baseline.
        groups: parts of the videos.
        baseline: name of the system that all others are compared with; None if all pairs are.
        margin: differences within +- this value count as practically equal.
        level: coverage of the intervals; tests are made at 1 - level.
        resamples: number of bootstrap samples and of random swaps.
        notes: facts that a reader must know.
        signatures: name of a system -> signature of its number.
    """

    measure: str
    title: str
    unit: str
    higher_is_better: bool
    videos: int
    segments: int
    data: str
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    groups: tuple[Group, ...] = ()
    baseline: str | None = None
    margin: float = 0.01
    level: float = 0.95
    resamples: int = 10_000
    notes: tuple[str, ...] = ()
    signatures: dict[str, str] = field(default_factory=dict)

    @property
    def single_runs(self) -> tuple[str, ...]:
        """Names of the systems with one run, whose training noise is unknown."""
        return tuple(row.name for row in self.rows if row.runs == 1)

    def row(self, name: str) -> Row:
        """The row of a system."""
        return next(row for row in self.rows if row.name == name)

    def pair(self, first: str, second: str) -> Pair:
        """The pair of two systems, in either order."""
        return next(pair for pair in self.pairs if {pair.first, pair.second} == {first, second})

    def sentences(self) -> tuple[str, ...]:
        """The verdict in plain English."""
        return sentences(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain data; undefined numbers are None."""
        data: dict[str, Any] = _plain(asdict(self))
        for row, found in zip(self.rows, data["rows"], strict=True):
            found["mean"] = _plain(row.mean)
        return data | {"sentences": list(self.sentences())}

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
