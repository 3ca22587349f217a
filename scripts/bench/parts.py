"""What every section shares: options, rows, and workers that take turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.sizes import Sizes

SCRIPTS = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for.

    Attributes:
        sizes: of features and network.
        repeats: turns behind each median.
        steps: of the loss curves.
        curve: sizes of the loss curves, where many steps are taken.
        videos: that are evaluated.
        threads: of each worker.
        stored: videos whose features are written to the disk and read.
        scratch: folder for them; None for the system's own.
    """

    sizes: Sizes
    curve: Sizes
    repeats: int = 5
    steps: int = 20
    videos: int = 402
    threads: int = 2
    stored: int = 512
    scratch: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        name: what was measured.
        unit: of the three figures.
        reference: the plain way.
        ours: avelzoo's.
        floor: what nobody can go below (or above, for a speed); None where there is none.
        ratio: how many times better than the reference; None where that says nothing.
        goal: the ratio, or the figure, that is aimed at, in words.
        note: what a reader has to know.
    """

    name: str
    unit: str = ""
    reference: float | None = None
    ours: float | None = None
    floor: float | None = None
    ratio: float | None = None
    goal: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """What a section found: rows for the table, and all its figures for the JSON file and the plot."""

    name: str
    rows: list[Row]
    figures: dict[str, Any] = field(default_factory=dict)


class Worker:
    """A process that is one subject; see `bench.worker`. Sleeps unless it is asked.

    Args:
        name: ``reference``, ``avelzoo`` or ``products``.
        options: threads.
        sizes: the options' own unless others are given.
        precision: as in `ComputeConfig`.
        videos: that it holds.
        seed: of weights and dropout.
        full: whether its bank starts full.
    """

    def __init__(
        self,
        name: str,
        options: Options,
        *,
        sizes: Sizes | None = None,
        precision: str = "32",
        videos: int = 0,
        seed: int = 0,
        full: bool = True,
    ) -> None:
        sizes = sizes or options.sizes
        told = {"name": name, "threads": options.threads, "sizes": sizes.to_dict(), "precision": precision}
        told |= {"videos": videos or sizes.batch, "seed": seed, "full": full}
        path = os.pathsep.join([str(SCRIPTS), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": str(options.threads)},
        )
        self._say(told)

    def ask(self, **what: Any) -> dict[str, Any]:
        """Tell it what to do, and wait for the answer."""
        return self._say(what)

    def _say(self, what: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"the worker ended with status {self._process.wait()} when it was told {what}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def in_turns(workers: dict[str, Worker], what: str, repeats: int, key: str = "seconds") -> dict[str, list[float]]:
    """Each worker's figures, one turn after the other, so that whatever else slows the machine slows all alike.

    Each warms up once, uncounted.
    """
    found: dict[str, list[float]] = {name: [] for name in workers}
    for worker in workers.values():
        worker.ask(do=what)
    for _ in range(repeats):
        for name, worker in workers.items():
            found[name].append(worker.ask(do=what)[key])
    return found


def ratio(slow: list[float], fast: list[float]) -> float:
    """Median over the turns of slow / fast."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))
