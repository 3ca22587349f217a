"""The rank of this process among those of a run, read from torchrun's environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from avelzoo.errors import UsageError

_NEEDED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class Rank:
    """A process among those of its run.

    Attributes:
        rank: its number, from 0, over all machines.
        size: how many there are.
        local_rank: its number on this machine.
        local_size: how many there are on this machine.
    """

    rank: int
    size: int
    local_rank: int
    local_size: int

    @property
    def nodes(self) -> int:
        """How many machines there are."""
        return self.size // self.local_size

    def to_environ(self, *, address: str, port: int) -> dict[str, str]:
        """The variables that `find_rank` reads; those of torchrun, which lightning-fabric knows as well.

        Args:
            address: where the first process listens.
            port: its port.
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
    """The rank that torchrun or this project's own launcher gave this process; None for a process on its own."""
    found = os.environ if environ is None else environ
    if any(name not in found for name in _NEEDED) or int(found["WORLD_SIZE"]) == 1:
        return None
    size = int(found["WORLD_SIZE"])
    return Rank(int(found["RANK"]), size, int(found["LOCAL_RANK"]), int(found.get("LOCAL_WORLD_SIZE") or size))


def is_first(rank: Rank | None) -> bool:
    """Whether this process is the one that writes, or the one that starts it."""
    return int(os.environ.get("NODE_RANK") or 0) == 0 if rank is None else rank.rank == 0


def require_agreement(rank: Rank | None, devices: int, nodes: int) -> None:
    """Refuse numbers that are not those of the processes that are there; 1 and 1 stand for whatever there is.

    Raises:
        UsageError: they differ, or are no numbers of processes.
    """
    if devices < 1 or nodes < 1:
        raise UsageError("a run needs a process", found=f"{devices} devices, {nodes} nodes", expected="1 or more each")
    if rank is not None and (devices, nodes) not in ((1, 1), (rank.local_size, rank.nodes)):
        raise UsageError(
            "the processes of this run have been started already, and there are not as many as asked for",
            found=f"{rank.local_size} on each of {rank.nodes} machines",
            expected=f"{devices} on each of {nodes} (--devices, --nodes)",
            fix="leave out --devices and --nodes under torchrun",
        )
