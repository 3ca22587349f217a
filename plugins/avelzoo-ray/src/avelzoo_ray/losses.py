"""Lost workers: how Ray reports them, and what users read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ray
from ray.exceptions import (
    LocalRayletDiedError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayError,
    WorkerCrashedError,
)

from avelzoo import Job, TrainingError

_LOST: tuple[tuple[type[RayError], str], ...] = (
    (OutOfMemoryError, "its machine ran out of memory"),
    (NodeDiedError, "its machine is gone"),
    (LocalRayletDiedError, "its machine is gone"),
    (WorkerCrashedError, "its process died"),
    (ObjectLostError, "the machine with its result is gone"),
)


class LostWorkerWarning(UserWarning):
    """A job's worker process or machine was lost; the job is started again."""


def how_lost(error: RayError) -> str:
    """How a job's worker was lost, in words; empty for an error that another attempt would meet again."""
    return next((said for kind, said in _LOST if isinstance(error, kind)), "")


def failure(job: Job, error: RayError, attempts: int) -> TrainingError:
    """The error for a job that Ray could not finish.

    Args:
        job: the job.
        error: Ray's error of the last attempt.
        attempts: number of attempts.
    """
    how = how_lost(error)
    times = "" if attempts == 1 else f" in each of {attempts} attempts"
    full = isinstance(error, OutOfMemoryError)
    log = job.log if job.log is not None and Path(job.log).exists() else None
    fix = [
        "reserve more memory per job (--launcher.memory_mb)" if full else "",
        f"see {log}" if log else "see the logs of Ray on its machine, /tmp/ray/session_latest/logs",
    ]
    return TrainingError(
        f"the worker of '{job.name}' was lost{times}" if how else f"Ray could not run '{job.name}'",
        where=log or "",
        found=how or (str(error).strip().splitlines() or [type(error).__name__])[0],
        fix="; ".join(filter(None, fix)),
    )


def silence_raylets() -> None:
    """Leave out Ray's own reports of lost workers: some forty lines on stdout, where ``--json`` prints one document."""
    worker: Any = ray._private.worker  # noqa: SLF001, Ray has no setting for it
    plain = getattr(worker, "print_to_stdstream", None)
    if plain is None or hasattr(plain, "plain"):
        return

    def shown(data: Any, *given: Any, **named: Any) -> None:
        if data.get("pid") != "raylet":
            plain(data, *given, **named)

    shown.plain = plain  # type: ignore[attr-defined]
    worker.print_to_stdstream = shown
