"""Independent jobs, and what a launcher promises to do with them. Plain data only, so that they can travel."""

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
    """A call that needs no other, may run in another process or on another machine, and may be made again.

    Attributes:
        name: tells it from the other jobs.
        call: ``module:function``, importable wherever the job runs.
        arguments: keyword arguments of the call, plain JSON data; so is what it returns.
        log: file that gets what the job prints where it runs in a process of its own; None for this one's stderr.
        threads: threads that it should compute with; None leaves it to the launcher.
        memory_mb: what is known of the memory that it will hold, in MiB; None for nothing.

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
    """What became of a job.

    Attributes:
        job: its name.
        value: what the call returned.
        error: why it returned nothing, as `AvelzooError.to_dict` writes it; None where it did.
        seconds: time it took.
        memory_mb: most memory its process held, in MiB; None where that is unknown, or others share the process.

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
    """Runs independent jobs somewhere. It knows nothing of what they do.

    >>> jobs = [Job(name="text", call="json:dumps", arguments={"obj": [1]})]
    >>> [outcome.value for outcome in InlineConfig().build().launch(jobs)]
    ['[1]']
    """

    @abstractmethod
    def launch(self, jobs: Sequence[Job]) -> Generator[Outcome, None, None]:
        """Run every job and yield its outcome once it is over, in any order, one outcome for each job.

        A job that fails is an outcome with an error and leaves the others alone. Closing the iterator stops what is
        still running.

        Raises:
            UsageError: the jobs cannot be run in this way; no job was started.
        """


def perform(job: Job) -> Outcome:
    """Make a job's call in this process. Whatever it raises, interruptions apart, is its outcome.

    >>> perform(Job(name="text", call="json:dumps", arguments={"obj": [1]})).value
    '[1]'
    """
    began = time.perf_counter()
    try:
        value = _function(job.call)(**job.arguments)
    except BaseException as error:  # no job may take the others down, not by sys.exit either
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
