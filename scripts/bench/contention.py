"""Runs that share the cores: training steps of one, two and four processes, started one after the other.

Every process is started as `avelzoo run` starts: it measures the load, chooses its threads and limits active waiting
(`avelzoo.system.threads`). For comparison, the same runs with torch's own number of threads and waiting.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, Any

from avelzoo.system.threads import COUNTS
from bench.parts import SCRIPTS, Options
from bench.results import Goal, Row, Section

RUNS = (1, 2, 4)
CHOSEN, DEFAULT = "chosen", "default"
SHARE = 85.0
TORCH = "torch's own threads and waiting"


def measure(options: Options) -> Section:
    """Total steps per second as a percentage of one run alone."""
    sizes = replace(options.sizes, batch=max(1, options.sizes.batch // 8), bank=max(1, options.sizes.bank // 8))
    told = json.dumps(sizes.to_dict())
    found = {how: joining(how, told, options.window) for how in (CHOSEN, DEFAULT)}
    alone = float(found[CHOSEN][0]["steps_per_second"])

    def percent(result: dict[str, Any]) -> float:
        return 100 * float(result["steps_per_second"]) / alone

    pairs = list(zip(RUNS, found[CHOSEN], found[DEFAULT], strict=True))
    rows = [
        Row(
            name=f"{runs} runs at once",
            unit="%",
            value=percent(chosen),
            references={TORCH: percent(default)},
            better="higher",
            goal=Goal(of="value", limit=SHARE),
            note=f"threads: {', '.join(map(str, chosen['threads']))}",
        )
        for runs, chosen, default in pairs[1:]
    ]
    rows += [
        Row(
            name=f"CPU time of a step, {runs} run{'s' if runs > 1 else ''}",
            unit="s",
            value=chosen["cpu_seconds_per_step"],
            references={TORCH: default["cpu_seconds_per_step"]},
        )
        for runs, chosen, default in pairs
    ]
    facts = {"batch": sizes.batch, "bank": sizes.bank, "window_s": options.window}
    return Section(name="contention", rows=rows, facts=facts | found)


def joining(how: str, sizes: str, window: float) -> list[dict[str, Any]]:
    """Figures of one, two and four runs; each further run starts while the others compute."""
    members: list[Member] = []
    found = []
    with _closing(members):
        for runs in RUNS:
            while len(members) < runs:
                members.append(Member(how, sizes))
                members[-1].wait(steps=2)
            found.append(together(members, window))
    return found


def together(members: Sequence[Member], window: float) -> dict[str, Any]:
    """Steps per second of all runs, CPU seconds per step, and the threads of each."""
    first = [len(member.steps) - 1 for member in members]
    began = time.monotonic()
    time.sleep(window)
    ended = time.monotonic()
    for member in members:
        member.wait(steps=len(member.steps) + 1)  # the step in progress at the end
    speeds = [member.count(ended) - member.count(began) for member in members]
    cpu = [(m.steps[-1][1] - m.steps[i][1]) / (len(m.steps) - 1 - i) for m, i in zip(members, first, strict=True)]
    return {
        "runs": len(members),
        "threads": [member.threads for member in members],
        "steps_per_second": sum(speeds) / (ended - began),
        "cpu_seconds_per_step": sum(cpu) / len(cpu),
    }


class Member:
    """A training process that reports every step.

    Args:
        how: ``chosen`` or ``default`` threads.
        sizes: as JSON.
    """

    def __init__(self, how: str, sizes: str) -> None:
        environ = {name: value for name, value in os.environ.items() if name not in COUNTS}
        path = os.pathsep.join([str(SCRIPTS), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.contender", how, sizes],
            stdout=subprocess.PIPE,
            text=True,
            cwd=SCRIPTS,
            env=environ | {"PYTHONPATH": path},
        )
        assert self.process.stdout is not None
        self.threads, self.steps = 0, list[tuple[float, float]]()
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def wait(self, steps: int) -> None:
        """Wait until the process has completed so many steps.

        Raises:
            SystemExit: the process ended.
        """
        with self._news:
            self._news.wait_for(lambda: len(self.steps) >= steps or self.process.poll() is not None)
        if len(self.steps) < steps:
            raise SystemExit(f"a run ended with status {self.process.returncode} after {len(self.steps)} steps")

    def count(self, moment: float) -> float:
        """Steps completed at a moment, with the part of the step in progress."""
        times = [at for at, _ in self.steps]
        done = sum(at <= moment for at in times)
        if not 0 < done < len(times):
            raise SystemExit("a run took no step before or after the measurement; choose a longer --window")
        return done + (moment - times[done - 1]) / (times[done] - times[done - 1])

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            with self._news:
                told = json.loads(line)
                if isinstance(told, int):
                    self.threads = told
                else:
                    self.steps.append((told[0], told[1]))
                self._news.notify_all()
        self.process.wait()
        with self._news:
            self._news.notify_all()


@contextmanager
def _closing(members: list[Member]) -> Iterator[None]:
    try:
        yield
    finally:
        for member in members:
            member.process.kill()
            member.process.wait()
