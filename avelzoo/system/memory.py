"""How much memory there is, and whether another job fits into it. All amounts in MiB."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from avelzoo.system.cgroups import CGROUPS, PROC, own_groups

SLACK = 1.2
"""What a job may hold beyond what the largest one before it held: samples miss short peaks."""


@dataclass
class Room:
    """Decides whether another job fits.

    Attributes:
        guess: what a job needs while none was measured.
        keep_free: what is left to everything else.
        measured: the most that a finished job held; 0 while there is none.
    """

    guess: float
    keep_free: float
    measured: float = 0.0

    def finished(self, held: float | None) -> None:
        """Learn from a finished job."""
        self.measured = max(self.measured, held or 0.0)

    def need(self, running: Iterable[float], known: float | None = None) -> float:
        """What the next job will hold: as much as the largest one so far, and some more.

        Args:
            running: the most that each running job has held so far.
            known: what is known of this job, if anything is.
        """
        expected = SLACK * self.measured or known or self.guess
        return max([expected, *running])

    def fits(self, running: list[tuple[float, float]], available: float | None, known: float | None = None) -> bool:
        """Whether another job may begin.

        Args:
            running: of each running job, what it holds and the most it has held.
            available: memory that is free now; None where that is unknown.
            known: what is known of the next job.
        """
        if not running or available is None:
            return True
        need = self.need([most for _, most in running], known)
        still_to_come = sum(max(0.0, need - now) for now, _ in running)
        return available - still_to_come - need >= self.keep_free


def available(proc: Path = PROC, cgroups: Path = CGROUPS) -> float | None:
    """Memory that new processes could use: the machine's, or what a container's limit leaves; None where unknown."""
    try:
        lines = dict(line.split(":", 1) for line in (proc / "meminfo").read_text().splitlines() if ":" in line)
        free = float(lines["MemAvailable"].split()[0]) / 2**10
    except (OSError, KeyError, ValueError):
        return None
    return min([free, *_limits(proc, cgroups)])


def held(pid: int, proc: Path = PROC) -> float:
    """What a process holds of its own, 0 where unknown. Pages of files that it maps can be dropped and do not count."""
    try:
        text = (proc / str(pid) / "status").read_text()
    except OSError:
        return 0.0
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return sum(float(lines[key].split()[0]) for key in ("RssAnon", "RssShmem") if key in lines) / 2**10


_FILES = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: ("memory.max", "memory.current", "inactive_file"),
}
"""By version of the control groups: limit, use, and what of it could be dropped."""


def _limits(proc: Path, cgroups: Path) -> list[float]:
    """What each limited control group at or above this process still gives."""
    return [left for version, group in own_groups("memory", proc, cgroups) for left in _left(group, *_FILES[version])]


def _left(group: Path, limit: str, used: str, cached: str) -> list[float]:
    try:
        most, now = (float((group / name).read_text()) for name in (limit, used))
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no such group here, or "max"
        return []
    return [(most - now + float(stat.get(cached, 0))) / 2**20]


def memory_mb() -> float | None:
    """Most memory this process has held, in MiB; None where that is unknown."""
    status = Path("/proc/self/status")
    if status.exists():  # unlike rusage it does not count what the parent held before this program began
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        if "VmHWM" in lines:
            return float(lines["VmHWM"].split()[0]) / 2**10
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
