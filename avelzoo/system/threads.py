"""Threads of this process: how many, and how long they wait actively. Several runs may share a machine.

Between two parallel loops OpenMP's threads spin before they sleep: GNU's library for some 300,000 rounds, about 10 ms.
Where another process needs the core, that time is lost to both. `SPIN` bounds it to some 50 microseconds, the time
between two loops of a training step, so that threads sleep only where they would wait long.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from avelzoo.system.cgroups import CGROUPS, PROC, own_groups

SPIN = {"GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "1"}
"""Of GNU's library (rounds), in PyTorch's wheels for Linux; of LLVM's and Intel's (ms), in those for macOS and Windows.
Each library reads its own variable alone, and only when it is loaded, with PyTorch."""

_WAITING = ("OMP_WAIT_POLICY", *SPIN)
COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
_SHORTEST = 0.2
"""Seconds over which the load is measured at least."""


def spin_bounds(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables for a new process that bound active waiting; none where the user has said how threads wait."""
    return {} if any(environ.get(name) for name in _WAITING) else dict(SPIN)


def bound_spinning() -> bool:
    """Bound active waiting in this process, which must be the library's own and not have loaded PyTorch yet.

    Returns:
        Whether anything was set.
    """
    bounds = {} if "torch" in sys.modules else spin_bounds(os.environ)
    os.environ.update(bounds)
    return bool(bounds)


def asked_threads() -> int | None:
    """Threads that the user's environment asks for; None where it asks for none."""
    counts = (os.environ.get(name, "") for name in COUNTS)
    return next((int(text) for text in counts if text.isdecimal() and int(text)), None)


def usable_cores(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Cores that this process may use: those of its affinity, or as many as its control groups' CPU quota is worth."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.floor(min([cores, *_quotas(proc, cgroups)])))


class Load:
    """How many cores other processes keep busy, since this was made.

    Args:
        proc: where the system says it.
    """

    def __init__(self, proc: Path = PROC) -> None:
        self._proc = proc
        self._before = self._look()

    def others(self) -> float:
        """Busy cores, this process's own work left out; 0 where the system does not say."""
        if self._before is None:
            return 0.0
        if (missing := _SHORTEST - (time.perf_counter() - self._before[0])) > 0:
            time.sleep(missing)
        now = self._look()
        if now is None:
            return 0.0
        seconds, busy, own = (after - before for after, before in zip(now, self._before, strict=True))
        return max(0.0, (busy - own) / seconds)

    def _look(self) -> tuple[float, float, float] | None:
        """Time, seconds that all cores were busy, seconds that this process was."""
        with suppress(OSError, ValueError, IndexError):
            fields = (self._proc / "stat").read_text().split("\n", 1)[0].split()
            user, nice, system, _, _, irq, softirq, steal = map(int, fields[1:9])
            busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
            return time.perf_counter(), busy, time.process_time()
        return None


@contextmanager
def threads(asked: int | None, *, recorded: int | None = None, load: Load | None = None) -> Iterator[str]:
    """Let PyTorch compute with as many threads as was asked for, or as cores are free; afterwards as before.

    In this order: ``asked``; the user's ``OMP_NUM_THREADS`` or ``MKL_NUM_THREADS``; ``recorded``, as another number
    changes a run's last digits; the cores that this process may use, less those that others keep busy, at least one.

    Args:
        asked: by the user.
        recorded: threads that a run began with.
        load: of the machine, begun a while ago.

    Yields:
        How many and why, where that is not PyTorch's own choice; else nothing.
    """
    import torch

    before = torch.get_num_threads()
    count, why = _choose(asked, recorded, load or Load(), before)
    environ = {name: os.environ.get(name) for name in COUNTS}
    if asked is not None:  # processes that this one starts compute with as many
        os.environ.update(dict.fromkeys(COUNTS, str(asked)))
    if count != before:
        torch.set_num_threads(count)
    try:
        yield why
    finally:
        if count != before:
            torch.set_num_threads(before)
        for name, value in environ.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _choose(asked: int | None, recorded: int | None, load: Load, default: int) -> tuple[int, str]:
    if asked is not None:
        return asked, f"{asked}, from --threads"
    names = [name for name in COUNTS if os.environ.get(name)]
    if names:
        return default, f"{default}, from {names[0]}"
    usable = usable_cores()
    if recorded is not None:
        return recorded, f"{recorded}, as the run began with"
    most = min(default, usable)
    busy = load.others()
    count = min(most, max(1, round((os.cpu_count() or 1) - busy)))
    if count < most:
        return count, f"{count} of {most}, as other programs keep {busy:.1f} cores busy; --threads {most} takes all"
    return count, "" if count == default else f"{count}, the CPU quota of this process"


def _quotas(proc: Path, cgroups: Path) -> list[float]:
    """Cores that the CPU quota of each control group at or above this process is worth."""
    found = []
    for version, group in own_groups("cpu", proc, cgroups):
        with suppress(OSError, ValueError, ZeroDivisionError):  # no such file here; "max" is no limit
            if version == 1:
                quota, period = ((group / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
            else:
                quota, period = (group / "cpu.max").read_text().split()
            if float(quota) > 0:
                found.append(float(quota) / float(period))
    return found
