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
    """In this process, one job after the other.

    >>> type(InlineConfig().build()).__name__
    'Inline'
    """

    isolated: ClassVar[bool] = False

    def build(self) -> Launcher:
        from avelzoo.builtin.launchers.inline import Inline

        return Inline()


@dataclass(frozen=True, kw_only=True)
class LocalConfig(LauncherConfig):
    """In processes of their own on this machine, as many at once as cores and free memory allow.

    Another job begins where the memory that is free, less what the running ones will still claim, holds it. What a job
    needs is measured: the most that finished or running ones held, and a fifth more. One job always runs.

    >>> LocalConfig(workers=2).workers
    2
    """

    workers: Annotated[int | None, Help("most jobs at once; none = as many as cores"), Bounds(min=1)] = None
    threads: Annotated[
        int | None, Help("threads of a job; none = the cores shared out among the workers"), Bounds(min=1)
    ] = None
    memory_mb: Annotated[
        float, Help("memory that a job is expected to hold until one was measured, in MiB"), Bounds(above=0)
    ] = 2048.0
    keep_free_mb: Annotated[float, Help("memory left to everything else, in MiB"), Bounds(min=0)] = 512.0
    gpus: Annotated[
        tuple[int, ...], Help("GPUs to deal out among the workers, one to each; empty = all to everyone"), Bounds(min=0)
    ] = ()

    def build(self) -> Launcher:
        from avelzoo.builtin.launchers.local import Local

        return Local(self)
