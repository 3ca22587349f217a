"""What a chain keeps lies in memory that the next training step uses again."""

from __future__ import annotations

import gc
import importlib
import threading

import pytest
import torch

from avelzoo.nn import SelfBlock, projection
from avelzoo.nn.cpu.pieces import buffers
from avelzoo.nn.cpu.pieces.buffers import Buffers
from avelzoo.nn.cpu.pieces.chain import in_pieces
from avelzoo.nn.cpu.pieces.saved import Saved, Wholes
from avelzoo.system import allocator

FUNCTION = importlib.import_module("avelzoo.nn.cpu.pieces.function")
SAVED = importlib.import_module("avelzoo.nn.cpu.pieces.saved")
DROPOUT = importlib.import_module("avelzoo.nn.cpu.dropout")


@pytest.fixture
def keeping(monkeypatch):
    """A process that keeps freed memory."""
    monkeypatch.setattr(allocator, "_KEPT", made := threading.Event())
    made.set()
    return made


@pytest.fixture
def shared(monkeypatch, keeping):
    """Buffers of such a process, for tensors of every size."""
    monkeypatch.setattr(buffers, "_SMALL", 1)
    monkeypatch.setattr(SAVED, "SHARED", made := Buffers())
    return made


@pytest.fixture
def no_collector():
    """Memory comes back by reference counts alone."""
    gc.disable()
    yield
    gc.enable()


def test_memory_comes_back_with_its_last_tensor_and_is_used_again(shared):
    one = shared.empty((4, 6), torch.float32)
    where, view = one.data_ptr(), one[1:]
    del one
    assert shared.free == [], "a view still uses it"
    del view
    assert shared.free == [96]
    again = shared.empty((40,), torch.bfloat16)
    assert (again.data_ptr(), again.dtype, again.shape) == (where, torch.bfloat16, (40,))
    assert shared.free == []


def test_a_new_buffer_replaces_smaller_ones_and_leaves_one_that_is_far_too_large(shared):
    held = [shared.empty((size,), torch.uint8) for size in (10, 100)]
    del held
    assert sorted(shared.free) == [10, 100]
    middle = shared.empty((30,), torch.uint8)
    assert shared.free == [100]
    del middle
    assert sorted(shared.free) == [30, 100]


def test_small_tensors_and_processes_that_return_memory_have_no_buffers(monkeypatch, keeping):
    found = Buffers()
    found.empty((5,), torch.float32)
    assert found.free == []
    keeping.clear()
    monkeypatch.setattr(buffers, "_SMALL", 1)
    found.empty((5,), torch.float32)
    assert found.free == []


@pytest.mark.usefixtures("shared")
def test_pieces_have_their_parts_of_one_tensor():
    wholes = Wholes(5)
    for where, value in ((slice(0, 3), 1.0), (slice(3, 5), 2.0)):
        saved = Saved(wholes, 7, where)
        rows = torch.empty(2 * (where.stop - where.start), 3)
        saved.room(rows).fill_(value)
        saved.room(rows).fill_(-value)
    assert wholes[7, 1][:, 0].tolist() == [1.0] * 6 + [2.0] * 4
    assert wholes[7, 2][:, 0].tolist() == [-1.0] * 6 + [-2.0] * 4


@pytest.mark.usefixtures("no_collector")
def test_a_step_frees_all_that_its_chain_kept_and_the_next_needs_no_more(monkeypatch, shared):
    monkeypatch.setattr(FUNCTION, "ROWS", 6)
    monkeypatch.setattr(DROPOUT, "_LARGE", 1)
    modules = [projection(5, 8, 0.2), SelfBlock(8, 2, 12, 0.3)]
    x = torch.randn(9, 3, 5)
    sizes = []
    for _ in range(3):
        out = in_pieces(modules, x)
        kept = list(shared.free)
        out.square().sum().backward()
        del out
        assert kept == []
        sizes.append(sorted(shared.free))
    assert sizes[0] == sizes[1] == sizes[2]
    assert len(sizes[0]) == 4, "after LeakyReLU, before both norms, and the output"
