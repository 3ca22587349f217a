"""What the parts share: options, and workers that take turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

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
        before: checkout of an earlier avelzoo, measured in the same turns by its own scripts.
        window: seconds of each contention measurement.
    """

    sizes: Sizes
    curve: Sizes
    repeats: int = 5
    steps: int = 20
    videos: int = 402
    threads: int = 2
    stored: int = 512
    scratch: Path | None = None
    before: Path | None = None
    window: float = 12.0

    @property
    def earlier(self) -> tuple[str, ...]:
        """Name of the earlier avelzoo among the subjects, if there is one."""
        return ("before",) if self.before else ()


Key = TypeVar("Key")


class Worker:
    """A process that is one subject; see `bench.worker`. Sleeps unless it is asked.

    Args:
        name: ``products``, ``before``, or a subject of `bench.subjects.make`.
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
        home = options.before / "scripts" if name == "before" and options.before else SCRIPTS
        told = {"name": "avelzoo" if name == "before" else name, "threads": options.threads, "precision": precision}
        told |= {"sizes": sizes.to_dict(), "videos": videos or sizes.batch, "seed": seed, "full": full}
        path = os.pathsep.join([str(home), str(home.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=home,  # -m looks there first
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": str(options.threads)},
        )
        self._told = told
        self._started = False
        self._tell(told)  # it starts beside the others; the first question waits for it

    def ask(self, **what: Any) -> dict[str, Any]:
        """Tell it what to do, and wait for the answer."""
        if not self._started:
            self._started = True
            self._answer(self._told)
        self._tell(what)
        return self._answer(what)

    def _tell(self, what: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def _answer(self, what: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdout is not None
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


def in_turns(workers: Mapping[Key, Worker], what: str, repeats: int) -> dict[Key, list[float]]:
    """Each worker's seconds, one turn after the other, so that whatever else slows the machine slows all alike.

    Each warms up once, uncounted.
    """
    found: dict[Key, list[float]] = {name: [] for name in workers}
    for worker in workers.values():
        worker.ask(do=what)
    for _ in range(repeats):
        for name, worker in workers.items():
            found[name].append(worker.ask(do=what)["seconds"])
    return found
