"""Number of threads of this process, and limits on their active waiting, for runs that share a machine.

Between two parallel loops, OpenMP's threads spin before they sleep: with GNU's library for some 300,000 rounds, about
10 ms. If another process needs the core, both lose that time. `SPIN` limits it to some 50 microseconds, the time
between two loops of a training step, so threads sleep only during longer waits.
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
"""Variables of GNU's library (rounds; PyTorch's Linux wheels) and of LLVM's and Intel's (ms; macOS and Windows wheels).
Each library reads only its own variable, once, when PyTorch loads it."""

_WAITING = ("OMP_WAIT_POLICY", *SPIN)
COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
_SHORTEST = 0.2
"""Shortest time over which the load is measured, in seconds."""


def spin_bounds(environ: Mapping[str, str]) -> dict[str, str]:
    """Environment variables that limit active waiting in a new process; none if the user has set such variables."""
    return {} if any(environ.get(name) for name in _WAITING) else dict(SPIN)


def bound_spinning() -> bool:
    """Limit active waiting in this process. Call it only from avelzoo's own program, before PyTorch is loaded.

    Returns:
        Whether a variable was set.
    """
    bounds = {} if "torch" in sys.modules else spin_bounds(os.environ)
    os.environ.update(bounds)
    return bool(bounds)


def asked_threads() -> int | None:
    """Threads that the user's environment asks for; None where it asks for none."""
    counts = (os.environ.get(name, "") for name in COUNTS)
    return next((int(text) for text in counts if text.isdecimal() and int(text)), None)


def usable_cores(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Number of cores that this process may use: its affinity, limited by the CPU quota of its control groups."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.floor(min([cores, *_quotas(proc, cgroups)])))


class Load:
    """Average number of cores busy with other processes since this object was created.

    Args:
        proc: folder with the system's counters, ``/proc``.
    """

    def __init__(self, proc: Path = PROC) -> None:
        self._proc = proc
        self._before = self._look()

    def others(self) -> float:
        """Busy cores, without this process's own work; 0 if unknown."""
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
        """Read time, busy seconds of all cores, and busy seconds of this process."""
        with suppress(OSError, ValueError, IndexError):
            fields = (self._proc / "stat").read_text().split("\n", 1)[0].split()
            user, nice, system, _, _, irq, softirq, steal = map(int, fields[1:9])
            busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
            return time.perf_counter(), busy, time.process_time()
        return None


@contextmanager
def threads(asked: int | None, *, recorded: int | None = None, load: Load | None = None) -> Iterator[str]:
    """Set PyTorch's number of threads inside the block, and restore it afterwards.

    The first of these that is set applies: ``asked``; the user's ``OMP_NUM_THREADS`` or ``MKL_NUM_THREADS``;
    ``recorded``, because another number would change a run's last digits; the cores that this process may use, minus
    the cores busy with other processes, at least one.

    Args:
        asked: number of threads the user asked for.
        recorded: number of threads that a resumed run began with.
        load: load of the machine, created some time ago.

    Yields:
        The number and the reason, if it differs from PyTorch's own choice; otherwise an empty text.
    """
    import torch

    before = torch.get_num_threads()
    count, why = _choose(asked, recorded, load or Load(), before)
    environ = {name: os.environ.get(name) for name in COUNTS}
    if asked is not None:  # child processes use the same number
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
        return recorded, f"{recorded}, as when the run began"
    most = min(default, usable)
    busy = load.others()
    count = min(most, max(1, round((os.cpu_count() or 1) - busy)))
    if count < most:
        return count, f"{count} of {most}: other programs keep {busy:.1f} cores busy; --threads {most} uses all"
    return count, "" if count == default else f"{count}, the CPU quota of this process"


def _quotas(proc: Path, cgroups: Path) -> list[float]:
    """CPU quotas of the control groups that contain this process, in cores."""
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
