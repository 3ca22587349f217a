"""The run folder: what lies in it, and who may write there.

- ``composition.json``: every value with its source, owners, versions, data checksums, the command
- ``metrics.jsonl``: one line an epoch
- ``best.safetensors``: the weights of the epoch chosen on val
- ``resume/state.safetensors``: the exact state after the last whole epoch
- ``predictions.h5``: answers on val and test
- ``result.json``: the scores; its presence means the run is finished
"""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avelzoo.engine.record import comparable, differences, location, recorded_environment
from avelzoo.errors import RunError, StorageError, some
from avelzoo.system.files import clear_scratch, read_json, storage_error, write_json


class RunWarning(UserWarning):
    """A run goes on, but not quite as it began."""


@dataclass(frozen=True)
class RunDir:
    """Paths of one run.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def composition(self) -> Path:
        """What was run."""
        return self.path / "composition.json"

    @property
    def metrics(self) -> Path:
        """One line an epoch."""
        return self.path / "metrics.jsonl"

    @property
    def best(self) -> Path:
        """Weights of the chosen epoch."""
        return self.path / "best.safetensors"

    @property
    def state(self) -> Path:
        """Exact state after the last whole epoch, in one file so that it is replaced at once."""
        return self.path / "resume" / "state.safetensors"

    @property
    def predictions(self) -> Path:
        """Predictions on val and test."""
        return self.path / "predictions.h5"

    @property
    def result(self) -> Path:
        """The scores."""
        return self.path / "result.json"

    def require_free(self) -> None:
        """Refuse a place where something else would be overwritten.

        Raises:
            RunError: a run is there already, or the place is taken by something else.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"'{self.path}' is a file", fix="choose another place with --out")
        own = (self.composition, self.metrics, self.best, self.state.parent, self.predictions, self.result)
        there = [path.name for path in own if path.exists()]
        if there:
            finished = "a finished run" if self.result.exists() else "a run that is not finished"
            raise RunError(
                f"'{self.path}' holds a run already",
                found=f"{finished}: {', '.join(there)}",
                fix="choose another folder with --out, or go on with this run by --resume",
            )

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Make the folder and keep other processes from writing there; an unused new folder disappears again.

        Raises:
            RunError: another process works there.
            StorageError: the folder cannot be made.
        """
        made = not self.path.exists()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = _lock(self.path)
        except OSError as error:
            raise storage_error(error, self.path) from error
        try:
            yield
        finally:
            if lock in _LOCKS:
                _LOCKS.remove(lock)
                os.close(lock)
            if made:
                with suppress(OSError):  # it holds something, as it should
                    self.path.rmdir()

    def begin(self, record: Mapping[str, Any], *, bytes_needed: int = 0) -> None:
        """Write what is about to be run; shows at once whether the folder can be written.

        Raises:
            RunError: a run is there already, or the place is taken by something else.
            StorageError: the folder cannot be written, or there is less space than the run will need.
        """
        self.require_free()
        free = shutil.disk_usage(self.path).free
        if free < bytes_needed:
            raise StorageError(
                "there is not enough space for the run folder",
                where=str(self.path),
                found=f"{free / 2**20:.0f} MiB free",
                expected=f"{bytes_needed / 2**20:.0f} MiB",
                fix="free some space, or choose another folder with --out",
            )
        write_json(self.composition, record)
        try:
            self.state.parent.mkdir()
        except OSError as error:
            raise storage_error(error, self.state.parent) from error

    def reopen(self, record: Mapping[str, Any]) -> None:
        """Check that the run that is there is the one asked for, and clear away what a kill left half-written.

        Raises:
            RunError: some of its values or its data differ; those are named.
        """
        there = read_json(self.path, self.composition.name)
        self._require_same(there, record)
        changed = differences(recorded_environment(there), recorded_environment(record))
        if changed:
            warnings.warn(
                f"this run goes on elsewhere, so its last digits may change: {'; '.join(changed)}",
                RunWarning,
                stacklevel=3,
            )
        try:
            self.state.parent.mkdir(exist_ok=True)
            clear_scratch(self.path)
            clear_scratch(self.state.parent)
        except OSError as error:
            raise storage_error(error, self.path) from error
        if location(there) != location(record):
            write_json(self.composition, there | {"slots": there["slots"] | {"dataset": record["slots"]["dataset"]}})

    def require_values(
        self, composition: Mapping[str, Any], fingerprint: Callable[[], Mapping[str, str]] | None = None
    ) -> None:
        """Check that the run that is there was made of this composition, whatever has become of its data.

        Args:
            composition: as `Composition.to_dict` writes it.
            fingerprint: of the composition's data; called only where their folder is another one than the run's. None
                if the same data in another folder do not count as the same.

        Raises:
            RunError: it was not; the values that differ are named.
        """
        there, asked = read_json(self.path, self.composition.name), dict(composition)
        if fingerprint is not None and location(there) != location(asked):
            asked["data"] = dict(fingerprint())
        self._require_same({key: there.get(key) for key in asked}, asked)

    def _require_same(self, there: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
        differing = differences(comparable(there), comparable(asked))
        if differing and all(row.startswith("data.") for row in differing):
            was, now = there.get("data", {}), asked.get("data", {})
            changed = [name for name in dict.fromkeys([*was, *now]) if was.get(name) != now.get(name)]
            raise RunError(
                "the data are not those that the run began with",
                where=location(asked) or str(self.path),
                found="other content of " + ", ".join(changed),
                expected=f"the files whose checksums are in {self.composition}",
                fix="give the folder with the same files by --data, or start a new run in another folder",
            )
        if differing:
            raise RunError(
                f"the run in '{self.path}' has other values than asked for",
                found=some(differing, 6, separator="; "),
                fix=f"`avelzoo run --resume {self.path}` goes on with the values it began with, given the same data and"
                " versions; with others, run anew in another folder",
            )


_LOCKS: set[int] = set()
"""Open handles whose locks are this process's."""


def _close_locks() -> None:
    """A forked process does not work in the folder, and must not keep the lock when its parent dies."""
    while _LOCKS:
        os.close(_LOCKS.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_locks)


def _lock(path: Path) -> int | None:
    """A lock that ends with the process, however it ends; None where the system or the disk has none."""
    if sys.platform == "win32":
        return None
    import fcntl

    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise RunError(
            f"another process is at work in '{path}'", fix="wait until it ends, or choose another folder with --out"
        ) from None
    except OSError:  # some network disks cannot lock
        os.close(handle)
        return None
    _LOCKS.add(handle)
    return handle
