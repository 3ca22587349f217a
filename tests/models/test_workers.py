"""Pieces in several threads: the same numbers, in every run, from each of the ways a chain is used."""

from __future__ import annotations

import multiprocessing

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from avelzoo.nn import AddSinusoids, Dropout, SelfBlock, projection
from avelzoo.nn.cpu.pieces import function
from avelzoo.nn.cpu.pieces.chain import in_pieces
from avelzoo.nn.cpu.pieces.workers import in_threads, shared_out
from avelzoo.profiling.flops import count_flops


@pytest.fixture(autouse=True)
def three_threads(monkeypatch):
    """More threads than most machines of the tests have idle, and small pieces."""
    monkeypatch.setattr(function, "ROWS", 40)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def modules():
    torch.manual_seed(0)
    return [projection(64, 64, 0.2), AddSinusoids(), Dropout(0.1), SelfBlock(64, 2, 64, 0.3)]


def trained(modules, x):
    """Output and gradients of a step."""
    torch.manual_seed(1)
    for module in modules:
        module.zero_grad()
    x = x.clone().requires_grad_()
    out = in_pieces(modules, x)
    out.square().sum().backward()
    return [out.detach(), x.grad, *(p.grad.clone() for module in modules for p in module.parameters())]


def test_the_numbers_are_those_of_one_thread_and_of_every_run(modules):
    x = torch.randn(70, 8, 64)
    several, again = trained(modules, x), trained(modules, x)
    torch.set_num_threads(1)
    alone = trained(modules, x)
    for got, same, want in zip(several, again, alone, strict=True):
        assert torch.equal(got, same)
        assert torch.allclose(got, want, rtol=1e-4, atol=1e-4)


def test_threads_keep_to_themselves_and_results_are_in_order():
    found = in_threads(lambda part: (part, torch.get_num_threads(), torch.is_grad_enabled()), range(7))
    assert found == [(part, 1, False) for part in range(7)]
    assert torch.get_num_threads() == 3


def test_parts_that_are_summed_have_a_fixed_thread():
    assert shared_out([0, 1, 2, 3, 4, 5, 6]) == [[0, 3, 6], [1, 4], [2, 5]]
    assert shared_out([0, 1]) == [[0], [1]]


def test_one_part_needs_no_thread():
    assert in_threads(lambda part: torch.get_num_threads(), [0]) == [3]


def test_an_error_in_a_thread_is_raised():
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda part: 1 // part, range(3))


def test_inference_mode_holds_in_the_threads(modules):
    x = torch.randn(70, 8, 64)
    for module in modules:
        module.eval()
    with torch.inference_mode():
        out = in_pieces(modules, x)
    assert out.is_inference()
    with torch.no_grad():
        assert torch.equal(in_pieces(modules, x), out)


def test_profilers_and_counters_see_all_operations(modules):
    x = torch.randn(70, 8, 64)
    several = count_flops(lambda: trained(modules, x))
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        trained(modules, x)
    softmaxes = sum(event.count for event in seen.key_averages() if event.key == "aten::_softmax")
    torch.set_num_threads(1)
    assert several == count_flops(lambda: trained(modules, x)) > 0
    assert softmaxes == 14


def child(queue, x):
    """A sum for each part, in a process that was forked from one with threads."""
    queue.put([int(value) for value in in_threads(lambda part: x[part:].sum(), range(6))])


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # of Python 3.12, for every fork
def test_threads_work_in_a_fork():
    x = torch.arange(6)
    assert [int(value) for value in in_threads(lambda part: x[part:].sum(), range(6))] == [15, 15, 14, 12, 9, 5]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=child, args=(queue, x))
    process.start()
    assert queue.get(timeout=60) == [15, 15, 14, 12, 9, 5]
    process.join(60)
