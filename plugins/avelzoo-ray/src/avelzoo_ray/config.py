"""Options of the launcher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from avelzoo import Bounds, Help, LauncherConfig

if TYPE_CHECKING:
    from avelzoo import Launcher


@dataclass(frozen=True, kw_only=True)
class RayConfig(LauncherConfig):
    """As tasks of Ray: on this machine, or on the cluster that an address names.

    Ray decides where and when a job runs, by the CPUs, GPUs and memory it asks for. A job whose process or machine is
    lost is started again, and goes on where it was.
    """

    address: Annotated[
        str | None, Help("the cluster: host:port, or auto for the one this machine belongs to; none = Ray of our own")
    ] = None
    cpus: Annotated[float, Help("CPUs that a job asks for, and threads it computes with"), Bounds(above=0)] = 1.0
    gpus: Annotated[float, Help("GPUs that a job asks for; fractions share one"), Bounds(min=0)] = 0.0
    memory_mb: Annotated[
        float | None, Help("memory that a job asks for, in MiB; none = it asks for none"), Bounds(above=0)
    ] = None
    restarts: Annotated[int, Help("how often a job that was lost is started again"), Bounds(min=0)] = 2
    workers: Annotated[
        int | None, Help("CPUs that Ray of our own may use; none = all of this machine"), Bounds(min=1)
    ] = None

    def build(self) -> Launcher:
        """The launcher; Ray starts with the first jobs."""
        from avelzoo_ray.launcher import RayLauncher

        return RayLauncher(self)
