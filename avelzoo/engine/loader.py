"""Batches of a data set's splits, prefetched by worker processes of torch's `DataLoader`."""

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

_SHARED = Path("/dev/shm")  # noqa: S108, shared memory for batches
_SHARED_NEEDED = 2 * 2**30
_PR_SET_PDEATHSIG = 1


def suggested_workers(dataset: Dataset) -> int:
    """Default number of workers: that of the data set, if cores and shared memory allow it."""
    if dataset.workers and (not _SHARED.is_dir() or shutil.disk_usage(_SHARED).free < _SHARED_NEEDED):
        return 0
    return min(dataset.workers, usable_cores() - 1)


class Loader:
    """Batches of several splits in a given order, on the device of this process.

    Args:
        splits: splits by name.
        processes: processes; only the share of this one is read.
        workers: persistent worker processes that prefetch batches; with 0, the main process reads them.
        transfer: number format of features on their way to the device; None for that of the split.
    """

    def __init__(
        self, splits: Mapping[str, Split], processes: Processes, workers: int, transfer: torch.dtype | None = None
    ) -> None:
        self._processes = processes
        self._requests: list[Request] = []
        self._loader: DataLoader[Any] = DataLoader(
            _Reader(splits, transfer),  # type: ignore[arg-type]
            batch_sampler=_Requests(self._requests),  # type: ignore[arg-type]
            collate_fn=_as_read,
            num_workers=workers,
            persistent_workers=workers > 0,
            worker_init_fn=_begin_worker,
            pin_memory=processes.fabric.device.type == "cuda",
            generator=torch.Generator(),  # a separate generator, because the global one belongs to the run
        )

    @contextmanager
    def shares(
        self, name: str, batches: Sequence[np.ndarray], augment: Callable[[int], Augment] | None = None
    ) -> Iterator[Iterator[Share]]:
        """This process's part of each batch of a split.

        Args:
            name: name of the split.
            batches: positions in the split, by batch.
            augment: the transform of each step; it needs whole batches, so every process reads whole batches.

        Raises:
            DataError: a file is damaged, or a worker process ended.
        """
        self._requests[:] = [(name, b if augment else self._processes.share_indices(b)) for b in batches]
        try:
            yield self._each(batches, augment)
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            raise DataError(
                "a DataLoader worker process ended",
                where=f"split '{name}'",
                found=first_line(error),
                fix="set compute.workers=0 to read in the main process; the system may have run out of memory",
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
    """Batch sampler of the batches requested for the present epoch."""

    def __init__(self, requests: list[Request]) -> None:
        self._requests = requests

    def __iter__(self) -> Iterator[Request]:
        return iter(list(self._requests))

    def __len__(self) -> int:
        return len(self._requests)


class _Reader:
    """The data set for `DataLoader`, in a worker or the main process."""

    def __init__(self, splits: Mapping[str, Split], transfer: torch.dtype | None) -> None:
        self._splits = splits
        self._transfer = transfer

    def __getitems__(self, request: Request) -> tuple[Batch, Targets, list[Warning], AvelzooError | None]:
        """A batch with the warnings of its worker process, whose own output is not shown."""
        name, indices = request
        if get_worker_info() is None:
            return *self._fetch(name, indices), [], None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                batch, targets = self._fetch(name, indices)
            except AvelzooError as error:
                return None, None, [], _Sent(error)  # type: ignore[return-value]
        said = [warning.message for warning in caught if isinstance(warning.message, Warning)]
        return batch, targets, said, None

    def _fetch(self, name: str, indices: np.ndarray) -> tuple[Batch, Targets]:
        batch, targets = self._splits[name].fetch(indices)
        return (batch if self._transfer is None else batch.to(dtype=self._transfer)), targets


class _Sent:
    """An error sent from a worker to the main process, in a form that pickle can transfer."""

    def __init__(self, error: AvelzooError) -> None:
        self._error = error

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self._error), vars(self._error))


def _rebuilt(kind: type[AvelzooError], values: dict[str, Any]) -> AvelzooError:
    return kind(values.pop("problem"), **values)


def _as_read(read: Any) -> Any:
    return read


def _begin_worker(number: int) -> None:
    """Set up a worker: it ends when the main process ends, and ignores Ctrl-C, which the main process handles."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
