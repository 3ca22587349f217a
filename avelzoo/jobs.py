"""Independent jobs, their outcomes, and the launcher contract. Jobs are plain data, so any process can receive them."""

from __future__ import annotations

import importlib
import os
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from avelzoo.errors import PluginError, explain


@dataclass(frozen=True, kw_only=True)
class Job:
    """An independent function call that may run in another process or on another machine, and may be repeated.

    Attributes:
        name: unique name.
        call: ``module:function``, importable wherever the job runs.
        arguments: keyword arguments of the call, plain JSON data like the returned value.
        log: file for the output of a job in its own process; None for this process's stderr.
        threads: number of threads; None for the launcher's choice.
        memory_mb: expected memory in MiB; None if unknown.

    >>> Job(name="text", call="json:dumps", arguments={"obj": [1]}).to_dict()["call"]
    'json:dumps'
    """

    name: str
    call: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    log: str | None = None
    threads: int | None = None
    memory_mb: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Outcome of a job.

    Attributes:
        job: name of the job.
        value: value returned by the call.
        error: error of a failed job, as `AvelzooError.to_dict` writes it; None for success.
        seconds: run time.
        memory_mb: peak memory of the job's process in MiB; None if unknown or if other jobs share the process.

    >>> Outcome(job="text", value="[1]").error is None
    True
    """

    job: str
    value: Any = None
    error: Mapping[str, Any] | None = None
    seconds: float = 0.0
    memory_mb: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """Inverse of ``to_dict``."""
        return cls(**{f.name: data[f.name] for f in fields(cls)})


class Launcher(ABC):
    """Runs independent jobs.

    >>> jobs = [Job(name="text", call="json:dumps", arguments={"obj": [1]})]
    >>> [outcome.value for outcome in InlineConfig().build().launch(jobs)]
    ['[1]']
    """

    @abstractmethod
    def launch(self, jobs: Sequence[Job]) -> Generator[Outcome, None, None]:
        """Run all jobs and yield one outcome per job, as jobs end, in any order.

        A failed job yields an outcome with an error; other jobs continue. Closing the iterator stops running jobs.

        Raises:
            UsageError: the launcher cannot run the jobs; no job was started.
        """


def perform(job: Job) -> Outcome:
    """Run a job in this process. Any exception except an interruption becomes the outcome's error.

    >>> perform(Job(name="text", call="json:dumps", arguments={"obj": [1]})).value
    '[1]'
    """
    began = time.perf_counter()
    try:
        value = _function(job.call)(**job.arguments)
    except BaseException as error:  # no job may stop the rest, not even by sys.exit
        if type(error) is KeyboardInterrupt:
            raise
        if os.environ.get("AVELZOO_DEBUG") == "1":
            traceback.print_exception(error)
        return Outcome(job=job.name, error=explain(error).to_dict(), seconds=time.perf_counter() - began)
    return Outcome(job=job.name, value=value, seconds=time.perf_counter() - began)


def _function(call: str) -> Any:
    module, _, name = call.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise PluginError(
            f"the job's function '{call}' cannot be found: {error}",
            expected="module:function, importable where the job runs",
        ) from error
