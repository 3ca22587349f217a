"""Starts the processes of a run on this machine, and ends all of them if one is lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avelzoo import errors
from avelzoo.composition.provenance import require_shareable
from avelzoo.composition.resolving import Composition
from avelzoo.engine.parallel.event_file import EventFileReader
from avelzoo.engine.parallel.rank import Rank
from avelzoo.engine.result import RunResult
from avelzoo.engine.run_events import RunEvents
from avelzoo.errors import AvelzooError, TrainingError, UsageError
from avelzoo.plugin.default import default_host
from avelzoo.plugin.registry import Registry
from avelzoo.system.threads import spin_bounds, usable_cores

_WORKER = "avelzoo.engine.parallel.worker"
_POLL = 0.05
_GRACE = 1.0
"""Seconds in which the remaining processes may report errors after one has failed."""


@dataclass(frozen=True)
class Task:
    """Description of a run for its processes.

    Attributes:
        composition: composition of the run.
        out: run folder.
        resume: whether to resume the run in ``out``.
        device: as in `avelzoo.engine.run`.
        command: command line.
    """

    composition: Composition
    out: Path
    resume: bool
    device: str
    command: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain data, with the single-file plugins."""
        return {
            "composition": self.composition.to_dict(),
            "out": str(self.out),
            "resume": self.resume,
            "device": self.device,
            "command": list(self.command),
            "plugins": [str(file) for file in default_host().files],
        }


def launch(task: Task, registry: Registry, *, devices: int, nodes: int, events: RunEvents) -> RunResult:
    """Run a task in ``devices`` processes on this machine; each other machine makes the same call.

    With several machines, environment variables describe them: ``NODE_RANK`` is the number of this machine,
    ``MASTER_ADDR`` and ``MASTER_PORT`` are the address of rank 0.

    Args:
        task: the run.
        registry: registry of its components.
        devices: number of processes on this machine.
        nodes: number of machines.
        events: receives the run's events, on the first machine.

    Raises:
        AvelzooError: the error of a process, or the loss of one; all other processes have been ended.
    """
    require_shareable(registry, [task.composition.to_dict()])
    node, address, port = _meeting_point(nodes)
    ranks = [Rank(node * devices + i, devices * nodes, i, devices) for i in range(devices)]
    with tempfile.TemporaryDirectory(prefix="avelzoo-") as name:
        room = Path(name)
        (room / "task.json").write_text(json.dumps(task.to_dict()), encoding="utf-8")
        processes = [_start(rank, room, address, port) for rank in ranks]
        try:
            _wait(processes, EventFileReader(room / "events.jsonl", events))
            failed = [process.poll() for process in processes]
        finally:
            for process in processes:
                process.kill()
                process.communicate()
        if any(failed):
            raise _reason(ranks, failed, room, task)
        return RunResult.from_dict(json.loads((room / "result.json").read_text(encoding="utf-8")))


def _meeting_point(nodes: int) -> tuple[int, str, int]:
    """Number of this machine, and the address of rank 0."""
    if nodes == 1:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return 0, "127.0.0.1", free.getsockname()[1]
    known = {name: os.environ.get(name, "") for name in ("NODE_RANK", "MASTER_ADDR", "MASTER_PORT")}
    missing = [name for name, value in known.items() if not value]
    if missing or not (known["NODE_RANK"].isdecimal() and known["MASTER_PORT"].isdecimal()):
        raise UsageError(
            "the address of the first machine is missing",
            found=" ".join(f"{name}={value}" for name, value in known.items() if value)
            or "none of the environment variables",
            expected="NODE_RANK (0, 1, ...), and MASTER_ADDR and MASTER_PORT of the first machine, on each",
            fix=f"NODE_RANK=0 MASTER_ADDR=first.example MASTER_PORT=29500 avelzoo run ... --nodes {nodes}, or torchrun",
        )
    if int(known["NODE_RANK"]) >= nodes:
        raise UsageError(
            "NODE_RANK is out of range", found=f"NODE_RANK={known['NODE_RANK']}", expected=f"below {nodes}"
        )
    return int(known["NODE_RANK"]), known["MASTER_ADDR"], int(known["MASTER_PORT"])


def _start(rank: Rank, room: Path, address: str, port: int) -> subprocess.Popen[bytes]:
    """Start one process. It ends when its standard input closes, so it ends with this process."""
    threads = max(1, usable_cores() // rank.local_size)
    environ = {"OMP_NUM_THREADS": str(threads), "TORCH_CPP_LOG_LEVEL": "ERROR"} | os.environ | spin_bounds(os.environ)
    environ |= rank.to_environ(address=address, port=port)
    environ |= {"PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)}
    with (room / f"log-{rank.rank}").open("wb") as log:
        return subprocess.Popen(  # noqa: S603, this project's own module
            [sys.executable, "-P", "-m", _WORKER, str(room)],
            stdin=subprocess.PIPE,
            stdout=2 if rank.rank == 0 else log,  # output of components; stdout is for results
            stderr=None if os.environ.get("AVELZOO_DEBUG") == "1" else log,
            env=environ,
        )


def _wait(processes: list[subprocess.Popen[bytes]], reader: EventFileReader) -> None:
    """Wait until all processes have succeeded, or one has failed and the rest had time to report errors."""
    patience: float | None = None
    while True:
        codes = [process.poll() for process in processes]
        reader.poll()
        if all(code is not None for code in codes):
            return
        if any(codes):
            patience = patience or time.monotonic() + _GRACE
            if time.monotonic() > patience:
                return
        time.sleep(_POLL)


def _reason(ranks: list[Rank], codes: list[int | None], room: Path, task: Task) -> AvelzooError:
    """The error that ended a run: a killed process, else a process's own error, else a lost process elsewhere."""
    reports: dict[int, dict[str, Any]] = {}
    for rank in ranks:
        with suppress(OSError, ValueError):
            reports[rank.rank] = json.loads((room / f"error-{rank.rank}.json").read_text(encoding="utf-8"))
    size = f"--devices {ranks[0].local_size}" + (f" --nodes {ranks[0].nodes}" if ranks[0].nodes > 1 else "")
    again = f"`avelzoo run --resume {task.out} {size}` continues from the last completed epoch"
    for rank, code in zip(ranks, codes, strict=True):
        if code and rank.rank not in reports:
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            last = (room / f"log-{rank.rank}").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return TrainingError(
                f"process {rank.rank} of {rank.size} was lost ({how}); all processes were ended",
                where=str(task.out),
                found=last[-1][:300] if last else "no message; the system may have run out of memory",
                fix=again,
            )
    first = min(reports.values(), key=lambda error: bool(error["lost"]))
    kind = getattr(errors, str(first["error"]), AvelzooError)
    rebuilt: AvelzooError = (kind if issubclass(kind, AvelzooError) else AvelzooError)(
        first["problem"],
        where=first["where"],
        found=first["found"],
        expected=first["expected"],
        fix=again if first["lost"] else first["fix"],
    )
    return rebuilt
