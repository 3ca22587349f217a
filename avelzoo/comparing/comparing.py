"""The comparison of systems on the same videos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from avelzoo.comparing.comparison import Comparison
from avelzoo.comparing.rating import HEADLINE, Rating
from avelzoo.comparing.systems import System
from avelzoo.errors import OptionError, UsageError, did_you_mean, some
from avelzoo.metrics import Truth
from avelzoo.metrics.arrays import BoolArray
from avelzoo.metrics.counts import MEASURES, Measure
from avelzoo.metrics.signature import data_hash
from avelzoo.statistics import letters


def compare(
    systems: Sequence[System],
    truth: Truth,
    video_ids: Sequence[str],
    *,
    measure: str = HEADLINE,
    baseline: str | None = None,
    margin: float = 0.01,
    groups: Mapping[str, BoolArray] | None = None,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
    notes: Sequence[str] = (),
) -> Comparison:
    """Compare systems on the same v videos.

    Each row has the mean over runs, their standard deviation, floors, and an interval over videos and, with several
    runs, seeds. Each pair has the interval of its difference, paired by video, and the p-value of a test that swaps
    whole videos between the systems, after Holm's correction over all pairs. Two systems are *separated* if this p
    is below 1 - level and the interval excludes 0. Rows that are not separated share a letter.

    Args:
        systems: one or more systems, with distinct names.
        truth: truth of the videos.
        video_ids: (v) names of the videos, for the hash of the data.
        measure: a name of `avelzoo.metrics.counts.MEASURES`.
        baseline: system that all others are compared with; by default all pairs are compared, and rows have letters.
        margin: differences within +- this value are practically equal, > 0.
        groups: name -> (v) bool, parts of the videos for further rows.
        level: coverage of the intervals, in (0, 1).
        resamples: number of bootstrap samples and of random swaps.
        seed: seed of both.
        notes: facts that a reader must know, passed through.

    Raises:
        UsageError: no system, equal names, or an unknown measure or baseline.
        OptionError: a number out of range.
        DataError: predictions of other sizes than the truth.

    >>> truth = Truth(segments=np.array([[0, 1], [1, 1]]), events=np.array([0, 0]), categories=("dog",))
    >>> system = System(name="background", segments=np.ones((1, 2, 2), dtype=int))
    >>> compare([system], truth, ["a", "b"]).rows[0].mean
    0.75
    """
    _require_names(systems, baseline)
    if not margin > 0:
        raise OptionError("the margin is not positive", where="margin", found=f"{margin:g}", expected="> 0")
    rating = Rating(_measure(measure), truth, level, resamples, seed)
    for system in systems:
        system.require_fits(truth)
        if rating.measure.needs_category and system.category is None:
            raise UsageError(
                f"the measure '{measure}' needs predicted categories of videos",
                where=system.name,
                found="segments only",
            )
    counted = [rating.counted(system) for system in systems]
    counted.sort(key=rating.rank)
    pairs = [(a, b) for a, b in combinations(counted, 2) if baseline in (None, a.system.name, b.system.name)]
    if baseline is not None:
        pairs = [(b, a) if a.system.name == baseline else (a, b) for a, b in pairs]
    tested = rating.pairs(pairs, margin)
    rows = [rating.row(one) for one in counted]
    if baseline is None:
        shown = letters([row.name for row in rows], [(one.first, one.second) for one in tested if one.separated])
        rows = [replace(row, letter=shown[row.name]) for row in rows]
    return Comparison(
        measure=measure,
        title=rating.measure.title,
        unit=rating.measure.unit,
        higher_is_better=rating.measure.higher_is_better,
        videos=len(truth.events),
        segments=int(truth.lengths.sum()),
        data=data_hash(video_ids, truth),
        rows=tuple(rows),
        pairs=tested,
        groups=tuple(rating.group(name, inside, counted, pairs) for name, inside in (groups or {}).items()),
        baseline=baseline,
        margin=margin,
        level=level,
        resamples=resamples,
        notes=tuple(notes),
    )


def _measure(name: str) -> Measure:
    if name not in MEASURES:
        raise UsageError(f"unknown measure '{name}'" + did_you_mean(name, MEASURES), expected=", ".join(MEASURES))
    return MEASURES[name]


def _require_names(systems: Sequence[System], baseline: str | None) -> None:
    names = [system.name for system in systems]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice or not names:
        raise UsageError(
            "systems need distinct names" if twice else "a comparison needs at least one system",
            found=some(twice),
            fix="name every system differently" if twice else "",
        )
    if baseline is not None and baseline not in names:
        raise UsageError(
            f"no system is named '{baseline}'" + did_you_mean(baseline, names),
            where="baseline",
            expected="; ".join(names),
        )
