"""Batches read ahead by other processes: the same run, the same errors, nobody left behind."""

from __future__ import annotations

import os
import signal
import time
import warnings
from multiprocessing import active_children
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from avelzoo import engine
from avelzoo.engine.device import make_fabric
from avelzoo.engine.loader import Loader, suggested_workers
from avelzoo.engine.processes import SingleProcess
from avelzoo.errors import DataError, DataWarning
from tests.engine.reading import numbers
from tests.engine.tiny import TinyData, composed, tiny_registry

BATCHES = [np.array([3, 1]), np.array([0, 2, 5])]


def loader(workers, split=None, precision="32"):
    data = TinyData(composed().recipe.dataset)
    splits = {name: split or data.split(name) for name in ("train", "val")}
    return data, Loader(splits, SingleProcess(make_fabric("cpu", precision), precision), workers)


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_come_in_order_epoch_after_epoch(workers):
    data, read = loader(workers)
    before = torch.get_rng_state()
    for name in ("train", "val", "train"):
        with read.shares(name, BATCHES) as shares:
            found = list(shares)
        for indices, share in zip(BATCHES, found, strict=True):
            batch, targets = data.split(name).fetch(indices)
            assert torch.equal(share.batch.audio, batch.audio)
            assert torch.equal(share.targets.event, targets.event)
            assert share.videos == len(indices)
    assert torch.equal(torch.get_rng_state(), before), "the run's random numbers are its own"


def test_half_stored_features_are_widened_on_the_device():
    split = TinyData(composed().recipe.dataset).split("train")
    fetch, sent = split.fetch, []

    def halved(indices):
        batch, targets = fetch(indices)
        sent.append(batch.to(dtype=torch.float16))
        return sent[-1], targets

    split.fetch = halved
    for precision, dtype in (("32", torch.float32), ("64", torch.float64)):
        with loader(0, split, precision)[1].shares("train", BATCHES[:1]) as shares:
            (share,) = shares
        assert share.batch.audio.dtype == dtype
        assert torch.equal(share.batch.audio, sent[-1].audio.to(dtype))


def test_a_run_with_reading_processes_is_the_same_run(tmp_path):
    for workers in (0, 2):
        out = tmp_path / str(workers)
        engine.run(composed(compute_workers=workers), out, registry=tiny_registry(), device="cpu")
    assert numbers(tmp_path / "2") == numbers(tmp_path / "0")


class Faulty:
    """A split that fails in one way."""

    def __init__(self, fail):
        self._split = TinyData(composed().recipe.dataset).split("train")
        self._fail = fail

    def fetch(self, indices):
        self._fail()
        return self._split.fetch(indices)


def damaged():
    raise DataError("a row is damaged", where="visual.h5, row 3", found="nan", fix="run the doctor")


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_file_is_the_same_error_in_another_process(workers):
    with pytest.raises(DataError) as fault, loader(workers, Faulty(damaged))[1].shares("train", BATCHES) as shares:
        list(shares)
    told = fault.value
    assert (told.problem, told.where, told.found) == ("a row is damaged", "visual.h5, row 3", "nan")
    assert told.fix == "run the doctor"


def test_a_reading_process_that_ends_is_named():
    killed = Faulty(lambda: os.kill(os.getpid(), signal.SIGKILL))
    read = loader(1, killed)[1]
    ended = pytest.raises(DataError, match="a DataLoader worker process ended")
    with ended as fault, read.shares("train", BATCHES) as shares:
        list(shares)
    assert "compute.workers=0" in fault.value.fix


def test_a_warning_of_a_reading_process_is_heard():
    def warn():
        warnings.warn("rows hold nothing but 0", DataWarning, stacklevel=1)

    read = loader(1, Faulty(warn))[1]
    with pytest.warns(DataWarning, match="nothing but 0"), read.shares("train", BATCHES[:1]) as shares:
        list(shares)


def test_reading_processes_end_with_a_killed_run(tmp_path):
    ready, seen = os.pipe()
    child = os.fork()
    if child == 0:
        others = {process.pid for process in active_children()}  # the parent's, of earlier tests
        with loader(1)[1].shares("train", BATCHES) as shares:
            next(shares)
            os.write(seen, b" ".join(str(p.pid).encode() for p in active_children() if p.pid not in others))
            time.sleep(60)
    workers = [int(pid) for pid in os.read(ready, 100).split()]
    assert workers
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    deadline = time.monotonic() + 3
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(alive, workers))


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_data_set_decides_how_many(monkeypatch):
    data = TinyData(composed().recipe.dataset)
    assert suggested_workers(data) == 0
    data.workers = 2
    monkeypatch.setattr("avelzoo.engine.loader.usable_cores", lambda: 8)
    for free, expected in ((2**33, 2), (2**26, 0)):
        monkeypatch.setattr("shutil.disk_usage", lambda path, free=free: SimpleNamespace(free=free))
        assert suggested_workers(data) == expected
    monkeypatch.setattr("avelzoo.engine.loader.usable_cores", lambda: 1)
    assert suggested_workers(data) == 0
