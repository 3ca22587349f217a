"""The rank of this process among those of a run, read from torchrun's environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from avelzoo.errors import UsageError

_NEEDED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class Rank:
    """Rank of a process in its run.

    Attributes:
        rank: number of the process, from 0, over all machines.
        size: number of processes.
        local_rank: number of the process on this machine.
        local_size: number of processes on this machine.
    """

    rank: int
    size: int
    local_rank: int
    local_size: int

    @property
    def nodes(self) -> int:
        """Number of machines."""
        return self.size // self.local_size

    def to_environ(self, *, address: str, port: int) -> dict[str, str]:
        """The variables read by `find_rank`, the same as torchrun's.

        Args:
            address: address of rank 0.
            port: port of rank 0.
        """
        return {
            "RANK": str(self.rank),
            "WORLD_SIZE": str(self.size),
            "LOCAL_RANK": str(self.local_rank),
            "LOCAL_WORLD_SIZE": str(self.local_size),
            "GROUP_RANK": str(self.rank // self.local_size),
            "MASTER_ADDR": address,
            "MASTER_PORT": str(port),
        }


def find_rank(environ: Mapping[str, str] | None = None) -> Rank | None:
    """The rank given to this process by torchrun or avelzoo's launcher; None for a single process."""
    found = os.environ if environ is None else environ
    if any(name not in found for name in _NEEDED) or int(found["WORLD_SIZE"]) == 1:
        return None
    size = int(found["WORLD_SIZE"])
    return Rank(int(found["RANK"]), size, int(found["LOCAL_RANK"]), int(found.get("LOCAL_WORLD_SIZE") or size))


def is_first(rank: Rank | None) -> bool:
    """Whether this process has rank 0, or starts the processes."""
    return int(os.environ.get("NODE_RANK") or 0) == 0 if rank is None else rank.rank == 0


def require_agreement(rank: Rank | None, devices: int, nodes: int) -> None:
    """Refuse numbers that differ from the started processes; 1 and 1 accept any number.

    Raises:
        UsageError: the numbers differ or are below 1.
    """
    if devices < 1 or nodes < 1:
        raise UsageError(
            "a run needs at least one process", found=f"{devices} devices, {nodes} nodes", expected="1 or more each"
        )
    if rank is not None and (devices, nodes) not in ((1, 1), (rank.local_size, rank.nodes)):
        raise UsageError(
            "the number of started processes differs from the requested number",
            found=f"{rank.local_size} on each of {rank.nodes} machines",
            expected=f"{devices} on each of {nodes} (--devices, --nodes)",
            fix="remove --devices and --nodes under torchrun",
        )
