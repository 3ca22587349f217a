"""Control groups of this process on Linux: who limits its memory and its processor time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def own_groups(controller: str, proc: Path = PROC, cgroups: Path = CGROUPS) -> Iterator[tuple[int, Path]]:
    """The interface's version (1 or 2) and the folder of each group at or above this process, from the lowest up.

    Args:
        controller: its name in version 1, such as ``memory``; in version 2 a group has all controllers.
        proc: where the system says which groups these are.
        cgroups: where they are.
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
