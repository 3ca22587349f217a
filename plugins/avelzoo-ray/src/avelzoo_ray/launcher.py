"""Jobs as tasks of Ray."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import OutOfMemoryError, RayError

from avelzoo import Job, Launcher, Outcome, RunError, TrainingError, perform

if TYPE_CHECKING:
    from avelzoo_ray.config import RayConfig

PATIENCE = 10.0
"""Seconds for a cluster to answer."""


class RayLauncher(Launcher):
    """Hands every job to Ray at once, which starts each when there is room for it.

    Ray of our own is started once in a process and ends with it; one that is there already is used, and left there.

    Args:
        config: address, and what a job asks for.
    """

    def __init__(self, config: RayConfig) -> None:
        self._config = config

    def launch(self, jobs: Sequence[Job]) -> Generator[Outcome, None, None]:
        """Outcomes in the order in which jobs end."""
        if not jobs:
            return
        self._connect()
        config = self._config
        task: Any = ray.remote(_perform).options(
            num_cpus=config.cpus,
            num_gpus=config.gpus,
            memory=None if config.memory_mb is None else config.memory_mb * 2**20,
            max_retries=config.restarts,
        )
        running = {task.remote(job, max(1, int(config.cpus))): job for job in jobs}
        try:
            while running:
                (done,), _ = ray.wait(list(running), num_returns=1)
                yield _outcome(done, running.pop(done))
        finally:
            for left in running:
                ray.cancel(left, force=True)

    def _connect(self) -> None:
        if ray.is_initialized():
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        address = self._config.address
        own: dict[str, Any] = {"num_cpus": self._config.workers, "include_dashboard": False}
        try:
            _knock(address or "")
            ray.init(
                address=address or "local",
                log_to_driver=False,
                configure_logging=False,
                **(own if address is None else {}),
            )
        except (ConnectionError, OSError, ValueError, RuntimeError) as error:
            raise RunError(
                "there is no Ray to run on",
                where=f"launcher.address {address or 'none: Ray of our own'}",
                found=(str(error).strip().splitlines() or [type(error).__name__])[0],
                fix="start a cluster with `ray start --head`, or remove the address",
            ) from error


def _knock(address: str) -> None:
    """See whether anybody is at ``host:port``: Ray itself would try for minutes."""
    named = re.fullmatch(r"(?:ray://)?([^:/]+):(\d+)", address)
    if named:
        socket.create_connection((named[1], int(named[2])), timeout=PATIENCE).close()


def _perform(job: Job, threads: int) -> Outcome:
    """The task. Threads have to be said before torch is imported, which happens within the job."""
    count = str(job.threads or threads)
    os.environ.update(OMP_NUM_THREADS=count, MKL_NUM_THREADS=count, OPENBLAS_NUM_THREADS=count)
    return perform(job)


def _outcome(done: Any, job: Job) -> Outcome:
    try:
        outcome: Outcome = ray.get(done)
    except RayError as error:
        return Outcome(job=job.name, error=_lost(job, error).to_dict())
    return outcome


def _lost(job: Job, error: RayError) -> TrainingError:
    """What to say of a job that Ray could not bring to its end."""
    full = isinstance(error, OutOfMemoryError)
    return TrainingError(
        f"the process of '{job.name}' was lost" + (", as memory ran out" if full else ""),
        found=(str(error).strip().splitlines() or [type(error).__name__])[0],
        fix="reserve more memory per job (--launcher.memory_mb)" if full else "see the logs of Ray",
    )
