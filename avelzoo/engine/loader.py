"""Batches of a data set's splits, read ahead of computing by processes of torch's `DataLoader`."""

from __future__ import annotations

import ctypes
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, get_worker_info

from avelzoo.contracts import Dataset, Split
from avelzoo.engine.processes import Augment, Processes, Share
from avelzoo.errors import AvelzooError, DataError, first_line
from avelzoo.records import Batch, Targets
from avelzoo.system.threads import usable_cores

Request = tuple[str, np.ndarray]
"""A split's name and positions in it."""

_SHARED = Path("/dev/shm")  # noqa: S108, where batches pass from process to process
_SHARED_NEEDED = 2 * 2**30
_PR_SET_PDEATHSIG = 1


def suggested_workers(dataset: Dataset) -> int:
    """Reading processes where none were asked for: the data set's number, if cores and shared memory allow it."""
    if dataset.workers and (not _SHARED.is_dir() or shutil.disk_usage(_SHARED).free < _SHARED_NEEDED):
        return 0
    return min(dataset.workers, usable_cores() - 1)


class Loader:
    """Batches of several splits, in the order asked for, on the device of this process.

    Args:
        splits: by name.
        processes: whose share of each batch is read.
        workers: processes that read ahead; they stay from epoch to epoch. With 0 a batch is read when it is needed.
    """

    def __init__(self, splits: Mapping[str, Split], processes: Processes, workers: int) -> None:
        self._processes = processes
        self._requests: list[Request] = []
        self._loader: DataLoader[Any] = DataLoader(
            _Reader(splits),  # type: ignore[arg-type]
            batch_sampler=_Requests(self._requests),  # type: ignore[arg-type]
            collate_fn=_as_read,
            num_workers=workers,
            persistent_workers=workers > 0,
            worker_init_fn=_begin_worker,
            pin_memory=processes.fabric.device.type == "cuda",
            generator=torch.Generator(),  # of its own: the global one is the run's
        )

    @contextmanager
    def shares(
        self, name: str, batches: Sequence[np.ndarray], augment: Callable[[int], Augment] | None = None
    ) -> Iterator[Iterator[Share]]:
        """This process's part of each batch of a split.

        Args:
            name: of the split.
            batches: positions in it.
            augment: the transform of each step; it sees whole batches, so every process reads these.

        Raises:
            DataError: a file is damaged, or a reading process ended.
        """
        self._requests[:] = [(name, b if augment else self._processes.share_indices(b)) for b in batches]
        try:
            yield self._each(batches, augment)
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            raise DataError(
                "a process that reads batches ended",
                where=f"split '{name}'",
                found=first_line(error),
                fix="read in the main process with compute.workers=0; the system kills processes when memory runs out",
            ) from error

    def _each(self, batches: Sequence[np.ndarray], augment: Callable[[int], Augment] | None) -> Iterator[Share]:
        for step, (batch, targets, warned, error) in enumerate(self._loader):
            if error is not None:
                raise error
            for message in warned:
                warnings.warn(message, stacklevel=2)
            share = self._processes.to_device(batch, targets, len(batches[step]))
            yield share if augment is None else self._processes.augmented(share, augment(step))


class _Requests:
    """The batch sampler: what is asked for, as it stands when an epoch begins."""

    def __init__(self, requests: list[Request]) -> None:
        self._requests = requests

    def __iter__(self) -> Iterator[Request]:
        return iter(list(self._requests))

    def __len__(self) -> int:
        return len(self._requests)


class _Reader:
    """The data set as `DataLoader` asks it, in a reading process or in the main one."""

    def __init__(self, splits: Mapping[str, Split]) -> None:
        self._splits = splits

    def __getitems__(self, request: Request) -> tuple[Batch, Targets, list[Warning], AvelzooError | None]:
        """A batch, and what a reading process has to say of it: its own output would be seen by nobody."""
        name, indices = request
        if get_worker_info() is None:
            return *self._splits[name].fetch(indices), [], None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                batch, targets = self._splits[name].fetch(indices)
            except AvelzooError as error:
                return None, None, [], _Sent(error)  # type: ignore[return-value]
        said = [warning.message for warning in caught if isinstance(warning.message, Warning)]
        return batch, targets, said, None


class _Sent:
    """An error on its way to another process; it arrives as the error itself, which pickle could not rebuild."""

    def __init__(self, error: AvelzooError) -> None:
        self._error = error

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self._error), vars(self._error))


def _rebuilt(kind: type[AvelzooError], values: dict[str, Any]) -> AvelzooError:
    return kind(values.pop("problem"), **values)


def _as_read(read: Any) -> Any:
    return read


def _begin_worker(number: int) -> None:
    """A reading process ends with the one that started it, however that ends, and leaves a key press to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
