"""The run folder: its files, and a lock against concurrent writers.

- ``composition.json``: every value with its source, owners, versions, data checksums, the command
- ``metrics.jsonl``: one line per epoch
- ``best.safetensors``: weights of the epoch chosen on val
- ``resume/state.safetensors``: exact state after the last completed epoch
- ``predictions.h5``: predictions on val and test; ids of the training videos
- ``result.json``: scores; this file exists only for finished runs
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avelzoo.composition.precision import AUTO
from avelzoo.engine.matching import require_same_recipes
from avelzoo.engine.record import comparable, differences, location, recorded_environment, with_newer_options
from avelzoo.errors import RunError, StorageError, some
from avelzoo.system.files import clear_scratch, read_json, storage_error, write_json
from avelzoo.system.locking import lock_folder, unlock

_PRECISION = "compute.precision"


class RunWarning(UserWarning):
    """A run continues under changed conditions."""


@dataclass(frozen=True)
class RunDir:
    """Paths of one run.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def composition(self) -> Path:
        """Composition of the run."""
        return self.path / "composition.json"

    @property
    def metrics(self) -> Path:
        """Metrics, one line per epoch."""
        return self.path / "metrics.jsonl"

    @property
    def best(self) -> Path:
        """Weights of the chosen epoch."""
        return self.path / "best.safetensors"

    @property
    def state(self) -> Path:
        """Exact state after the last completed epoch, in one file so that it is replaced atomically."""
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
        """Refuse a path where a run or other files would be overwritten.

        Raises:
            RunError: the folder holds a run or other files, or the path is a file.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"'{self.path}' is a file", fix="choose another run folder (`out`)")
        own = (self.composition, self.metrics, self.best, self.state.parent, self.predictions, self.result)
        there = [path.name for path in own if path.exists()]
        if there:
            finished = "a finished run" if self.result.exists() else "a run that is not finished"
            raise RunError(
                f"'{self.path}' already holds a run",
                found=f"{finished}: {', '.join(there)}",
                fix="choose another run folder (`out`), or continue this run (`resume`)",
            )

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Create and lock the folder inside the block; a new folder that stays empty is removed.

        Raises:
            RunError: another process uses the folder.
            StorageError: the folder cannot be created.
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
                unlock([lock])
            if made:
                with suppress(OSError):  # not empty, as expected
                    self.path.rmdir()

    def begin(self, record: Mapping[str, Any], *, bytes_needed: int = 0) -> None:
        """Write the run record, so that a folder without write access is reported at the start.

        Raises:
            RunError: the folder holds a run or other files, or the path is a file.
            StorageError: the folder cannot be written, or disk space is insufficient for the run.
        """
        self.require_free()
        free = shutil.disk_usage(self.path).free
        if free < bytes_needed:
            raise StorageError(
                "not enough disk space for the run folder",
                where=str(self.path),
                found=f"{free / 2**20:.0f} MiB free",
                expected=f"{bytes_needed / 2**20:.0f} MiB",
                fix="free disk space, or choose another run folder (`out`)",
            )
        write_json(self.composition, record)
        try:
            self.state.parent.mkdir()
        except OSError as error:
            raise storage_error(error, self.state.parent) from error

    def reopen(self, record: Mapping[str, Any]) -> None:
        """Check that the folder's run equals the requested one, and remove partly written files.

        Raises:
            RunError: values or data differ; the error names them.
        """
        there = read_json(self.path, self.composition.name)
        fix = "name the folder with the features of the run (`data`), or start a new run"
        known, asked = (one.get("extraction") for one in (there, record))
        require_same_recipes(asked, known, where=location(record) or str(self.path), fix=fix)
        self._require_same(there, record)
        changed = differences(recorded_environment(there), recorded_environment(record))
        if changed:
            warnings.warn(
                f"resuming in another environment ({'; '.join(changed)}): results may differ in the last digits",
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
        """Check that the folder's run has this composition; the data may have moved.

        Args:
            composition: as `Composition.to_dict` writes it.
            fingerprint: returns the data's fingerprint; called only if their folder differs from the run's. None to
                refuse data in another folder.

        Raises:
            RunError: the compositions differ; the error names the values.
        """
        there, asked = read_json(self.path, self.composition.name), dict(composition)
        if fingerprint is not None and location(there) != location(asked):
            asked["data"] = dict(fingerprint())
        self._require_same({key: there.get(key) for key in asked}, asked)

    def _require_same(self, there: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
        known, wanted = comparable(with_newer_options(there, asked)), comparable(asked)
        if wanted.get(_PRECISION) == AUTO:  # chosen when the run began
            wanted[_PRECISION] = known.get(_PRECISION)
        differing = differences(known, wanted)
        if differing and all(row.startswith("data.") for row in differing):
            was, now = there.get("data", {}), asked.get("data", {})
            changed = [name for name in dict.fromkeys([*was, *now]) if was.get(name) != now.get(name)]
            raise RunError(
                "the data differ from those the run was started with",
                where=location(asked) or str(self.path),
                found="other content of " + ", ".join(changed),
                expected=f"the files whose checksums are in {self.composition}",
                fix="name the folder with the same files (`data`), or start a new run in another folder",
            )
        if differing:
            raise RunError(
                f"the run in '{self.path}' has other values than requested",
                found=some(differing, 6, separator="; "),
                fix=f"`avelzoo run --resume {self.path}` continues with the run's own values, given the same data and"
                " versions; for other values, start a new run in another folder",
            )


_LOCKS: set[int] = set()
"""Open handles of locks held by this process."""


def _close_locks() -> None:
    """Release the locks in a forked process, which must not keep them when its parent dies."""
    while _LOCKS:
        os.close(_LOCKS.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_locks)


def _lock(path: Path) -> int:
    """Lock a run folder."""
    handle = lock_folder(path)
    if handle is None:
        raise RunError(f"another process uses '{path}'", fix="wait until it ends, or choose another run folder (`out`)")
    if handle >= 0:
        _LOCKS.add(handle)
    return handle
