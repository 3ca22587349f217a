"""Jobs in separate processes on this machine."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from avelzoo.errors import TrainingError, UsageError
from avelzoo.jobs import Job, Launcher, Outcome
from avelzoo.system.memory import MemoryBudget, available_mb, rss_mb
from avelzoo.system.threads import asked_threads, spin_bounds, usable_cores

if TYPE_CHECKING:
    from avelzoo.builtin.launchers.configs import LocalConfig

LOOK = 0.25
"""Seconds between two measurements of the running jobs' memory."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass
class _Worker:
    """A process that runs a job."""

    job: Job
    process: subprocess.Popen[bytes]
    seat: int
    began: float = field(default_factory=time.perf_counter)
    answer: bytes = b""
    rss_mb: float = 0.0
    peak_mb: float = 0.0

    def measure(self) -> None:
        """Measure the memory of the process."""
        self.rss_mb = rss_mb(self.process.pid)
        self.peak_mb = max(self.peak_mb, self.rss_mb)

    def outcome(self) -> Outcome:
        """Outcome of the job, or the way its process died. Call after its output has ended."""
        code = self.process.wait()
        seconds = time.perf_counter() - self.began
        try:
            said = Outcome.from_dict(json.loads(self.answer))
        except (ValueError, TypeError, KeyError):
            error = _death(self.job, code, self.peak_mb).to_dict()
            return Outcome(job=self.job.name, error=error, seconds=seconds, memory_mb=self.peak_mb or None)
        return replace(said, seconds=seconds)


class Local(Launcher):
    """Launcher that runs each job in its own process, so that a failing job does not affect the rest.

    Args:
        config: limits.
    """

    def __init__(self, config: LocalConfig) -> None:
        self._config = config

    def launch(self, jobs: Sequence[Job]) -> Generator[Outcome, None, None]:
        """Run the jobs in order, in parallel as workers and memory allow; yield outcomes as jobs end."""
        if sys.platform == "win32":
            raise UsageError("the launcher 'local' needs Linux or macOS", fix="use --launcher inline")
        cores = usable_cores()
        seats = max(1, min(self._config.workers or cores, len(jobs)))
        threads = self._config.threads or asked_threads() or max(1, cores // seats)
        budget = MemoryBudget(self._config.memory_mb, self._config.keep_free_mb)
        waiting, free = list(reversed(jobs)), list(reversed(range(seats)))
        with ExitStack() as stack:
            chosen = stack.enter_context(selectors.DefaultSelector())
            running: list[_Worker] = []
            stack.callback(_stop, running)
            while waiting or running:
                while waiting and free and _fits(budget, running, waiting[-1]):
                    job, seat = waiting.pop(), free.pop()
                    running.append(_Worker(job, _start(job, self._environ(job, seat, threads)), seat))
                    chosen.register(_stdout(running[-1]), selectors.EVENT_READ, running[-1])
                for key, _ in chosen.select(timeout=LOOK):
                    worker: _Worker = key.data
                    if piece := os.read(key.fd, 2**16):
                        worker.answer += piece
                        continue
                    chosen.unregister(key.fileobj)
                    running.remove(worker)
                    free.append(worker.seat)
                    outcome = worker.outcome()
                    _close(worker)
                    if outcome.error is None:
                        budget.finished(worker.peak_mb)
                    yield outcome
                for worker in running:
                    worker.measure()

    def _environ(self, job: Job, seat: int, threads: int) -> dict[str, str]:
        environ = dict(os.environ) | spin_bounds(os.environ) | dict.fromkeys(THREADS, str(job.threads or threads))
        if job.log is not None:
            environ.setdefault("AVELZOO_DEBUG", "1")  # tracebacks go to logs
        if self._config.gpus:
            environ["CUDA_VISIBLE_DEVICES"] = str(self._config.gpus[seat % len(self._config.gpus)])
        return environ


def _fits(budget: MemoryBudget, running: Sequence[_Worker], job: Job) -> bool:
    return budget.fits([(worker.rss_mb, worker.peak_mb) for worker in running], available_mb(), job.memory_mb)


def _start(job: Job, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with ExitStack() as stack:
        log: IO[bytes] | None = None
        if job.log is not None:
            Path(job.log).parent.mkdir(parents=True, exist_ok=True)
            log = stack.enter_context(Path(job.log).open("ab"))
        process = subprocess.Popen(
            [sys.executable, "-m", "avelzoo.builtin.launchers.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=dict(environ),
            start_new_session=True,  # Ctrl-C reaches only the launcher, which then stops its workers
        )
    assert process.stdin is not None
    path = [str(Path(entry).resolve()) for entry in sys.path]
    with suppress(BrokenPipeError):  # the process is dead already; the end of its output shows it
        process.stdin.write(json.dumps({"path": path, "job": job.to_dict()}).encode() + b"\n")
        process.stdin.flush()
    return process


def _stdout(worker: _Worker) -> IO[bytes]:
    assert worker.process.stdout is not None
    return worker.process.stdout


def _close(worker: _Worker) -> None:
    for stream in (worker.process.stdin, worker.process.stdout):
        with suppress(OSError):
            if stream is not None:
                stream.close()


def _stop(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        with suppress(ProcessLookupError):  # its whole process group, so that child processes of a job end with it
            os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
        _close(worker)


def _death(job: Job, code: int, most: float) -> TrainingError:
    """The error for a process that ended without an outcome."""
    free = available_mb()
    found = f"its peak memory was {most:.0f} MiB" + ("" if free is None else f"; {free:.0f} MiB are free now")
    fix = f"see {job.log}" if job.log else "see its output"
    if code == -signal.SIGKILL:
        return TrainingError(
            f"the process of '{job.name}' was killed; the system may have run out of memory",
            found=found,
            fix="resume with fewer parallel jobs (--launcher.workers) or more reserved memory; " + fix,
        )
    how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return TrainingError(f"the process of '{job.name}' ended {how} before it was finished", found=found, fix=fix)
