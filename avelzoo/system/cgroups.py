"""Control groups of this process on Linux, which limit its memory and processor time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def own_groups(controller: str, proc: Path = PROC, cgroups: Path = CGROUPS) -> Iterator[tuple[int, Path]]:
    """Yield (interface version, folder) of each group that contains this process, innermost first.

    Args:
        controller: controller name in version 1, such as ``memory``; in version 2, a group has all controllers.
        proc: folder with the process information, ``/proc``.
        cgroups: folder with the control groups.
    """
    try:
        entries = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return
    for controllers, path in (entry.split(":", 2)[1:] for entry in entries if entry.count(":") >= 2):
        if controllers and controller not in controllers.split(","):
            continue
        top = cgroups / controller if controllers else cgroups
        group = top / path.strip("/")
        while group.is_relative_to(top):
            yield (1 if controllers else 2), group
            group = group.parent
