"""The machine and the interpreter: versions, threads, memory, disk."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from avelzoo.doctor.findings import Finding
from avelzoo.doctor.imports import Imports
from avelzoo.system.memory import available_mb, limit_mb, total_mb
from avelzoo.system.threads import COUNTS, asked_threads, usable_cores
from avelzoo.version import __version__

SECTION = "environment"
RUNS = Path("runs")
LEAST_MEMORY, LEAST_DISK = 2048.0, 1024.0
"""MiB below which there is a warning: the paper's system at AVE's sizes needs 1 to 2 GiB; run folders some 100 MB."""


def interpreter() -> Iterator[Finding]:
    """Python, operating system, avelzoo."""
    needed, tested = _python_range()
    text = f"{platform.python_version()} at {sys.executable}"
    if needed and not _fits(platform.python_version(), needed):
        yield Finding(SECTION, "Python", "problem", f"{text}; supported {needed}", "install a supported Python")
    elif tested and "{}.{}".format(*sys.version_info) not in tested:
        fix = f"use Python {tested[-1]} if something fails"
        yield Finding(SECTION, "Python", "warning", f"{text}; tested with {', '.join(tested)}", fix)
    else:
        yield Finding(SECTION, "Python", "ok", f"{text}; supported {needed or 'unknown'}")
    yield Finding(SECTION, "system", "ok", f"{platform.system()} {platform.release()}, {platform.machine()}")
    place = Path(__file__).parents[1]
    yield Finding(SECTION, "avelzoo", "ok", f"{__version__} at {place}")


def machine(imports: Imports) -> Iterator[Finding]:
    """Build of PyTorch, threads, memory, disk."""
    facts = imports.torch
    if facts:
        build = f"CUDA {facts['cuda_build']}" if facts.get("cuda_build") else "processor only"
        build = f"ROCm {facts['hip_build']}" if facts.get("hip_build") else build
        yield Finding(SECTION, "build of PyTorch", "ok", build)
    yield _threads(facts.get("threads"))
    yield _memory(available_mb(), total_mb(), limit_mb())
    yield _disk(RUNS)


def _threads(of_torch: object) -> Finding:
    usable, cores, asked = usable_cores(), os.cpu_count() or 1, asked_threads()
    text = f"{usable} of {cores} cores usable"
    if isinstance(of_torch, int):
        text += f"; PyTorch starts with {of_torch} threads"
    if asked is not None:
        text += f"; {next(name for name in COUNTS if os.environ.get(name))}={asked}"
        if asked > usable:
            return Finding(SECTION, "threads", "warning", text, f"ask for at most {usable} threads")
    return Finding(SECTION, "threads", "ok", text)


def _memory(available: float | None, total: float | None, limit: float | None) -> Finding:
    if available is None:
        return Finding(SECTION, "memory", "ok", "unknown on this system")
    text = f"{_gib(available)} available" + (f" of {_gib(total)}" if total else "")
    limited = limit is not None and (total is None or limit < total)
    text += f"; limit of the control group {_gib(limit)}" if limited and limit is not None else ""
    if available < LEAST_MEMORY:
        fix = "end other programs, or use a smaller --batch-size" + (", or raise the limit" if limited else "")
        return Finding(SECTION, "memory", "warning", text, fix)
    return Finding(SECTION, "memory", "ok", text)


def _disk(folder: Path) -> Finding:
    """Free space and permission where run folders are created by default."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    text = f"{_gib(shutil.disk_usage(there).free / 2**20)} free in {folder.absolute()}"
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Finding(SECTION, "run folders", "problem", f"{there} is not a writable folder", "use --out, or chmod")
    if shutil.disk_usage(there).free / 2**20 < LEAST_DISK:
        return Finding(SECTION, "run folders", "warning", text, "free disk space, or use --out on another disk")
    return Finding(SECTION, "run folders", "ok", text)


def _python_range() -> tuple[str, list[str]]:
    """Supported range of Python, and the versions named in the metadata."""
    try:
        about = metadata.metadata("avelzoo")
    except metadata.PackageNotFoundError:
        return "", []
    stated = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or ()]
    return about["Requires-Python"] or "", [text for text in stated if text.startswith("3.")]


def _fits(version: str, needed: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(needed).contains(version, prereleases=True)


def _gib(mib: float) -> str:
    return f"{mib / 1024:.1f} GiB"
