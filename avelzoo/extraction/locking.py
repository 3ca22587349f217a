"""Locks of an output folder: one extraction at a time, or several shards of one extraction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from avelzoo.errors import OptionError, RunError
from avelzoo.system.locking import lock_file, unlock

T = TypeVar("T")
_ALL = "lock"


@dataclass(frozen=True)
class Shard:
    """Share of an extraction: videos number i, i + n, i + 2n, ... of the list.

    Attributes:
        number: i, from 1.
        of: n.

    >>> Shard.parse("2/3").part(["a", "b", "c", "d", "e"])
    ['b', 'e']
    """

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """A shard from ``i/n``.

        Raises:
            OptionError: the text is not ``i/n`` with 1 <= i <= n.
        """
        number, _, of = text.partition("/")
        if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise OptionError("not a shard", where="--shard", found=text, expected="i/n with 1 <= i <= n, such as 1/4")
        return cls(int(number), int(of))

    def part(self, items: Sequence[T]) -> list[T]:
        """The share of a list."""
        return list(items[self.number - 1 :: self.of])

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@contextmanager
def claimed(journal: Path, shard: Shard) -> Iterator[None]:
    """Hold a shard of a journal inside the block; shards of one extraction run side by side, nothing else does.

    Raises:
        RunError: another process has the folder, this shard, or a shard of another division.
    """
    whole = shard.of == 1
    handles = [lock_file(journal / _ALL, shared=not whole)]
    try:
        if None in handles:
            raise _taken(journal.parent)
        if not whole:
            own = f"shard-{shard.number}-of-{shard.of}"
            others = [path for path in journal.glob("shard-*-of-*") if not path.name.endswith(f"-of-{shard.of}")]
            for path in [journal / own, *others]:
                handles.append(lock_file(path))
                if handles[-1] is None:
                    raise _taken(journal.parent, path.name)
        yield
    finally:
        unlock(handles)


@contextmanager
def alone(journal: Path) -> Iterator[bool]:
    """Hold a whole journal inside the block; yields whether no other process has a part of it."""
    handle = lock_file(journal / _ALL)
    try:
        yield handle is not None
    finally:
        unlock([handle])


def _taken(out: Path, what: str = "") -> RunError:
    return RunError(
        "another process extracts into this folder",
        where=str(out),
        found=what.replace("-of-", "/").replace("shard-", "shard "),
        fix="wait until it ends, choose another folder with --out, or divide the work with --shard i/n in each process",
    )
