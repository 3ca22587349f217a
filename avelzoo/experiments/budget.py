"""Expected time of an experiment, and a limit on it: no run starts that would not end in time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from avelzoo.sweeps.plan import Trial

SAFETY = 1.15
"""Factor on expected seconds, as runs of equal composition differ."""


@dataclass
class Durations:
    """Expected seconds of runs: measured ones of the same cell, else of the same row, else of all runs.

    Attributes:
        otherwise: seconds before the first measurement; None if unknown.
        measured: cell -> seconds of its finished runs.
    """

    otherwise: float | None
    measured: dict[tuple[str, ...], list[float]] = field(default_factory=dict)

    def add(self, trial: Trial, seconds: float) -> None:
        """Add a measurement."""
        self.measured.setdefault(tuple(trial.cell.values()), []).append(seconds)

    def of(self, trial: Trial) -> float | None:
        """Expected seconds of a run; None if nothing is known."""
        own = tuple(trial.cell.values())
        for alike in (lambda key: key == own, lambda key: key[0] == own[0], lambda key: True):
            found = [seconds for key, listed in self.measured.items() if alike(key) for seconds in listed]
            if found:
                return statistics.fmean(found)
        return self.otherwise

    def total(self, trials: Sequence[Trial], workers: int) -> float | None:
        """Expected seconds of several runs side by side; None if unknown."""
        each = [self.of(trial) for trial in trials]
        return None if None in each else _makespan([seconds for seconds in each if seconds is not None], workers)


@dataclass
class Budget:
    """Batches of runs that end within a time.

    Attributes:
        seconds: the time.
        durations: expected seconds of runs.
        workers: number of runs side by side.
        clock: seconds since any moment.
        left_out: names of the runs that were not started, once the time is used up.
    """

    seconds: float
    durations: Durations
    workers: int
    clock: Callable[[], float] = time.monotonic
    left_out: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._began = self.clock()

    def batches(self, trials: Sequence[Trial]) -> Iterator[Sequence[Trial]]:
        """Yield runs in order until the next one would not end in time.

        A batch is what fits half of the remaining time, so that measured times replace expected ones; at least a run
        for each worker, if these fit. If nothing is known about the time of a run, the first one is the measurement.
        """
        waiting = list(trials)
        while waiting:
            left = self.seconds - (self.clock() - self._began)
            count = self._count(waiting, left)
            if not count:
                break
            batch, waiting = waiting[:count], waiting[count:]
            yield batch
        self.left_out = [trial.name for trial in waiting]

    def _count(self, waiting: Sequence[Trial], left: float) -> int:
        if left <= 0:
            return 0
        if self.durations.of(waiting[0]) is None:
            return 1
        count = 0
        for size in range(1, len(waiting) + 1):
            total = self.durations.total(waiting[:size], self.workers)
            if total is None or total * SAFETY > (left if size <= self.workers else left / 2):
                break
            count = size
        return count


def _makespan(seconds: Sequence[float], workers: int) -> float:
    ends = [0.0] * max(1, workers)
    for one in seconds:
        ends[ends.index(min(ends))] += one
    return max(ends)
