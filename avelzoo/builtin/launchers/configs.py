"""Options of the built-in launchers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from avelzoo.components import LauncherConfig
from avelzoo.config import Bounds, Help

if TYPE_CHECKING:
    from avelzoo.jobs import Launcher


@dataclass(frozen=True, kw_only=True)
class InlineConfig(LauncherConfig):
    """Jobs in this process, one after another.

    >>> type(InlineConfig().build()).__name__
    'Inline'
    """

    isolated: ClassVar[bool] = False

    def build(self) -> Launcher:
        from avelzoo.builtin.launchers.inline import Inline

        return Inline()


@dataclass(frozen=True, kw_only=True)
class LocalConfig(LauncherConfig):
    """Parallel jobs in separate processes on this machine, limited by cores and free memory.

    A job starts when free memory, minus what running jobs still need, is enough for it. The need of a job is estimated
    as the peak memory of finished and running jobs plus a fifth. One job always runs.

    >>> LocalConfig(workers=2).workers
    2
    """

    workers: Annotated[int | None, Help("largest number of parallel jobs; none = number of cores"), Bounds(min=1)] = (
        None
    )
    threads: Annotated[int | None, Help("threads per job; none = cores divided by workers"), Bounds(min=1)] = None
    memory_mb: Annotated[
        float, Help("expected memory of a job before the first measurement, in MiB"), Bounds(above=0)
    ] = 2048.0
    keep_free_mb: Annotated[float, Help("memory reserved for other programs, in MiB"), Bounds(min=0)] = 512.0
    gpus: Annotated[
        tuple[int, ...], Help("GPU ids, one per worker; empty = every worker sees all GPUs"), Bounds(min=0)
    ] = ()

    def build(self) -> Launcher:
        from avelzoo.builtin.launchers.local import Local

        return Local(self)
