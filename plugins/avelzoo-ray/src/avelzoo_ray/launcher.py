"""Jobs as tasks of Ray."""

from __future__ import annotations

import os
import re
import socket
import warnings
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

from avelzoo import Job, Launcher, Outcome, RunError
from avelzoo_ray.losses import LostWorkerWarning, failure, how_lost, silence_raylets
from avelzoo_ray.task import run_task

if TYPE_CHECKING:
    from avelzoo_ray.config import RayConfig

PATIENCE = 10.0
"""Seconds to wait for an answer of the cluster."""


class RayLauncher(Launcher):
    """Submits all jobs to Ray, which starts each when its CPUs, GPUs and memory are free.

    A job whose worker is lost (killed, out of memory, its machine gone) is submitted again, up to ``restarts`` times;
    a warning names it. Ray's own repetition would say nothing.

    Ray on this machine is started once per process and ends with it; a running one is used and left running.

    Args:
        config: address, resources of a job, number of restarts.
    """

    def __init__(self, config: RayConfig) -> None:
        self._config = config

    def launch(self, jobs: Sequence[Job]) -> Generator[Outcome, None, None]:
        """Yield outcomes as jobs end."""
        if not jobs:
            return
        self._connect()
        config = self._config
        task: Any = ray.remote(run_task).options(
            num_cpus=config.cpus,
            num_gpus=config.gpus,
            memory=None if config.memory_mb is None else config.memory_mb * 2**20,
            max_retries=0,
        )
        threads = max(1, int(config.cpus))
        running: dict[Any, tuple[Job, int]] = {task.remote(job, threads): (job, 1) for job in jobs}
        try:
            while running:
                (done,), _ = ray.wait(list(running), num_returns=1)
                job, attempt = running.pop(done)
                try:
                    yield ray.get(done)
                except RayError as error:
                    if attempt > config.restarts or not how_lost(error):
                        yield Outcome(job=job.name, error=failure(job, error, attempt).to_dict())
                        continue
                    warnings.warn(
                        f"the worker of '{job.name}' was lost ({how_lost(error)});"
                        f" the job starts again, attempt {attempt + 1} of {config.restarts + 1}",
                        LostWorkerWarning,
                        stacklevel=2,
                    )
                    running[task.remote(job, threads)] = job, attempt + 1
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
            _require_answer(address or "")
            ray.init(
                address=address or "local",
                log_to_driver=False,
                configure_logging=False,
                **(own if address is None else {}),
            )
            silence_raylets()
        except (ConnectionError, OSError, ValueError, RuntimeError) as error:
            raise RunError(
                "Ray cannot be reached" if address else "Ray cannot be started on this machine",
                where=f"launcher.address {address}" if address else "",
                found=(str(error).strip().splitlines() or [type(error).__name__])[0],
                fix="start a cluster with `ray start --head`, or remove the address",
            ) from error


def _require_answer(address: str) -> None:
    """Connect to ``host:port`` once; Ray itself would try for minutes."""
    named = re.fullmatch(r"(?:ray://)?([^:/]+):(\d+)", address)
    if named:
        socket.create_connection((named[1], int(named[2])), timeout=PATIENCE).close()
