"""The parts, most important first. Each has a process of its own: a GPU fault ends its process."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from gpu.rows import Job, Row


@dataclass(frozen=True)
class Part:
    """One part.

    Attributes:
        name: of the part.
        module: in this package; its ``check(job)`` does the work.
        seconds: at most; the last part takes what is left.
    """

    name: str
    module: str
    seconds: float


PARTS = (
    Part("equality", "equality", 90),
    Part("waits", "waiting", 20),
    Part("resume", "resuming", 40),
    Part("parity", "published", 40),
    Part("training", "epochs", 170),
    Part("kernels", "kernels", 35),
    Part("nccl", "several", 30),
    Part("cost", "costs", 50),
)
SHORTEST = 15.0
"""Seconds below which no part begins."""


def run_part(job: Job) -> None:
    """Do a part's work in this process."""
    (part,) = [part for part in PARTS if part.name == job.part]
    import_module(f"gpu.{part.module}").check(job)


def run_all(command: Sequence[str], *, device: str, tiny: bool, folder: Path, seconds: float) -> list[Row]:
    """Run the parts one after the other until the time is up.

    Args:
        command: starts this script as one part, with the options that are appended.
        device: as in `Job`.
        tiny: as in `Job`.
        folder: for files.
        seconds: for all of it.
    """
    end = time.monotonic() + seconds
    rows: list[Row] = []
    for part in PARTS:
        left = end - time.monotonic()
        if left < SHORTEST:
            rows.append(Row(part.name, "all", note=f"skipped: {max(left, 0):.0f} s left"))
            continue
        limit = left if part is PARTS[-1] else min(part.seconds, left)
        print(f"{part.name}: at most {limit:.0f} s", file=sys.stderr, flush=True)
        rows += _run(command, Job(part.name, device, tiny, folder, limit))
    return rows


def _run(command: Sequence[str], job: Job) -> list[Row]:
    options = ["--part", job.part, "--device", job.device, "--folder", str(job.folder), "--seconds", str(job.seconds)]
    log = job.folder / f"{job.part}.log"
    began = time.monotonic()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, *options, *(["--tiny"] if job.tiny else [])], stdout=file, stderr=subprocess.STDOUT
        )
        try:
            code: int | None = process.wait(job.seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            process.kill()
            process.wait()
    rows = job.rows()
    if code is None:
        rows.append(Row(job.part, "time", note=f"stopped after {job.seconds:.0f} s; what it had found is above"))
    elif code:
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        rows.append(Row(job.part, "process", ok=False, note=f"ended with exit code {code}: {''.join(last)[:300]}"))
    taken = time.monotonic() - began
    rows.append(Row(job.part, "seconds", value=taken, unit="s", note="start of Python and torch included"))
    return rows
