"""Options of the launcher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from avelzoo import Bounds, Help, LauncherConfig

if TYPE_CHECKING:
    from avelzoo import Launcher


@dataclass(frozen=True, kw_only=True)
class RayConfig(LauncherConfig):
    """Tasks of Ray, on this machine or on the cluster at an address.

    Ray starts a job where its CPUs, GPUs and memory are free. A job whose process or machine is lost starts again and
    resumes: a run after its last complete epoch, an extraction after its last complete video.
    """

    address: Annotated[str | None, Help("Ray cluster: host:port, or auto; none = start Ray on this machine")] = None
    cpus: Annotated[float, Help("CPUs and threads per job"), Bounds(above=0)] = 1.0
    gpus: Annotated[float, Help("GPUs per job; jobs with fractions share a GPU"), Bounds(min=0)] = 0.0
    memory_mb: Annotated[float | None, Help("memory per job in MiB; none = no reservation"), Bounds(above=0)] = None
    restarts: Annotated[int, Help("number of restarts of a lost job"), Bounds(min=0)] = 2
    workers: Annotated[int | None, Help("CPUs for Ray on this machine; none = all"), Bounds(min=1)] = None

    def build(self) -> Launcher:
        """The launcher; Ray starts with the first jobs."""
        from avelzoo_ray.launcher import RayLauncher

        return RayLauncher(self)
