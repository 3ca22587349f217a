"""Free memory, and whether another job fits into it. All amounts are in MiB."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from avelzoo.system.cgroups import CGROUPS, PROC, own_groups

SLACK = 1.2
"""Factor on the largest measured memory of a job: samples miss short peaks."""


@dataclass
class MemoryBudget:
    """Decides whether another job fits.

    Attributes:
        guess: assumed need of a job until one was measured.
        keep_free: memory reserved for other programs.
        measured: largest memory of a finished job; 0 before the first one.
    """

    guess: float
    keep_free: float
    measured: float = 0.0

    def finished(self, held: float | None) -> None:
        """Record the memory of a finished job."""
        self.measured = max(self.measured, held or 0.0)

    def need(self, running: Iterable[float], known: float | None = None) -> float:
        """Expected memory of the next job: that of the largest one so far, times `SLACK`.

        Args:
            running: largest memory of each running job so far.
            known: known need of this job, if any.
        """
        expected = SLACK * self.measured or known or self.guess
        return max([expected, *running])

    def fits(self, running: list[tuple[float, float]], available: float | None, known: float | None = None) -> bool:
        """Whether another job may start.

        Args:
            running: current and largest memory of each running job.
            available: free memory; None if unknown.
            known: known need of the next job, if any.
        """
        if not running or available is None:
            return True
        need = self.need([most for _, most in running], known)
        still_to_come = sum(max(0.0, need - now) for now, _ in running)
        return available - still_to_come - need >= self.keep_free


def available_mb(proc: Path = PROC, cgroups: Path = CGROUPS) -> float | None:
    """Memory for new processes, on the machine and within the container's limit; None if unknown."""
    try:
        free = _proc_mb(proc / "meminfo")["MemAvailable"]
    except (OSError, KeyError, ValueError):
        return None
    return min([free, *_limits(proc, cgroups)])


def total_mb(proc: Path = PROC) -> float | None:
    """Total memory of the machine; None if unknown."""
    try:
        return _proc_mb(proc / "meminfo")["MemTotal"]
    except (OSError, KeyError, ValueError):
        return None


def limit_mb(proc: Path = PROC, cgroups: Path = CGROUPS) -> float | None:
    """Smallest memory limit of the control groups of this process; None without a limit."""
    found = []
    for version, group in own_groups("memory", proc, cgroups):
        with suppress(OSError, ValueError):  # no such group here, or "max"
            found.append(float((group / _FILES[version][0]).read_text()) / 2**20)
    return min(found, default=None)


def rss_mb(pid: int, proc: Path = PROC) -> float:
    """Memory of a process; 0 if unknown. Pages of mapped files do not count: the system can drop them."""
    try:
        status = _proc_mb(proc / str(pid) / "status")
    except OSError:
        return 0.0
    return status.get("RssAnon", 0.0) + status.get("RssShmem", 0.0)


def _proc_mb(file: Path) -> dict[str, float]:
    """The amounts of memory that a file of /proc states, in lines such as ``VmHWM:  2048 kB``."""
    lines = re.findall(r"^(\w+):\s+(\d+) kB$", file.read_text(), re.MULTILINE)
    return {name: int(amount) / 2**10 for name, amount in lines}


_FILES = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: ("memory.max", "memory.current", "inactive_file"),
}
"""By version of the control groups: limit, use, and the part of it that can be dropped."""


def _limits(proc: Path, cgroups: Path) -> list[float]:
    """Memory left in each limited control group at or above this process."""
    return [left for version, group in own_groups("memory", proc, cgroups) for left in _left(group, *_FILES[version])]


def _left(group: Path, limit: str, used: str, cached: str) -> list[float]:
    try:
        most, now = (float((group / name).read_text()) for name in (limit, used))
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no such group here, or "max"
        return []
    return [(most - now + float(stat.get(cached, 0))) / 2**20]


def memory_mb() -> float | None:
    """Peak memory of this process in MiB; None if unknown."""
    with suppress(OSError, KeyError):  # unlike rusage it does not count what the parent held before this program began
        return _proc_mb(PROC / "self" / "status")["VmHWM"]
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
