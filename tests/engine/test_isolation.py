"""Whatever the caller has set in PyTorch and NumPy: the same numbers, and the caller's state as it was."""

from __future__ import annotations

import logging
import os
import random
import threading
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import torch

from avelzoo import engine
from avelzoo.composition.building import build
from avelzoo.engine.checkpoint import load_tensors
from avelzoo.errors import TrainingError
from avelzoo.profiling import profile
from avelzoo.system.isolation import isolated
from tests.engine.tiny import composed, tiny_registry


@contextmanager
def setting(get, put, value):
    """A setting of the process, taken back afterwards."""
    before = get()
    put(value)
    try:
        yield
    finally:
        put(before)


def deterministic(mode):
    torch.use_deterministic_algorithms(mode)


@contextmanager
def bfloat16_products():
    """As PyTorch's newer interface allows them, for one kind of hardware."""
    home = getattr(torch.backends.mkldnn, "matmul", None)
    if home is None or not hasattr(home, "fp32_precision"):
        pytest.skip("this PyTorch has no such setting")
    with setting(lambda: home.fp32_precision, lambda value: setattr(home, "fp32_precision", value), "bf16"):
        yield


CALLERS = {
    "float64": lambda: setting(torch.get_default_dtype, torch.set_default_dtype, torch.float64),
    "float16": lambda: setting(torch.get_default_dtype, torch.set_default_dtype, torch.float16),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "default device": lambda: setting(lambda: None, torch.set_default_device, "meta"),
    "device context": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "deterministic": lambda: setting(torch.are_deterministic_algorithms_enabled, deterministic, True),
    "anomaly": lambda: torch.autograd.set_detect_anomaly(True),
    "short products": lambda: setting(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "medium"),
    "bfloat16 products": bfloat16_products,
    "numpy errors": lambda: np.errstate(all="raise"),
    "another seed": lambda: setting(lambda: 0, torch.manual_seed, 77),
}


def seeds():
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    random.seed(5)


def state():
    """All that a caller may have set, and what comes next from each random generator."""
    homes = [getattr(torch.backends.mkldnn, name, None) for name in ("matmul", "conv", "rnn")]
    try:
        products = torch.get_float32_matmul_precision()
    except RuntimeError:
        products = "mixed"
    return (
        torch.get_default_dtype(), torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.empty(0).device,
        torch.is_autocast_enabled("cpu"), torch.are_deterministic_algorithms_enabled(), torch.is_anomaly_enabled(),
        products, [getattr(home, "fp32_precision", None) for home in homes], np.geterr(),
        bytes(torch.get_rng_state().tolist()), random.getstate(), str(np.random.get_state()),  # noqa: NPY002
    )  # fmt: skip


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A run whose caller has set nothing."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    return engine.run(composed(train_epochs=2), folder, registry=tiny_registry(), device="cpu"), folder


@pytest.mark.parametrize("caller", CALLERS)
def test_runs_and_what_is_asked_of_them(plain, tmp_path, caller):
    """Training, loading and evaluating give the numbers of a caller who has set nothing."""
    result, folder = plain
    want, _ = load_tensors(folder / "best.safetensors")
    with CALLERS[caller]():
        seeds()
        before = state()
        mine = engine.run(composed(train_epochs=2), tmp_path / "run", registry=tiny_registry(), device="cpu")
        run = engine.load_run(folder, tiny_registry())
        scores = engine.evaluate(run, device="cpu")
        assert state() == before
    got, _ = load_tensors(tmp_path / "run" / "best.safetensors")
    assert mine.scores == result.scores
    assert scores == result.scores["test"]
    assert got.keys() == want.keys()
    assert all(torch.equal(got[name], value) for name, value in want.items())
    assert all(not p.is_inference() and p.dtype == torch.float32 for p in run.model.parameters())


@pytest.fixture(scope="module")
def spec(plain):
    return engine.load_run(plain[1], tiny_registry()).spec


@pytest.mark.parametrize("caller", ["float64", "inference_mode", "device context", "autocast"])
def test_profiling(spec, caller):
    with CALLERS[caller]():
        seeds()
        before = state()
        cost = profile(composed().recipe, spec, batch_size=np.int64(4), repeats=np.int32(1))
        assert state() == before
    assert (cost.batch_size, type(cost.batch_size)) == (4, int)
    assert cost.train_flops > 0


@pytest.mark.parametrize("caller", CALLERS)
def test_building(spec, caller):
    recipe = composed().recipe
    torch.manual_seed(3)
    want = build(recipe, spec).state_dict()
    with CALLERS[caller]():
        torch.manual_seed(3)
        got = build(recipe, spec).state_dict()
    assert all(torch.equal(got[name], value) and not value.is_meta for name, value in want.items())


@pytest.mark.parametrize("caller", ["float64", "device context", "deterministic", "bfloat16 products"])
def test_a_run_that_fails_leaves_the_state_as_it_was(tmp_path, caller):
    with CALLERS[caller]():
        seeds()
        before = state()
        with pytest.raises(TrainingError):
            engine.run(composed(dataset_spoiled=True), tmp_path / "run", registry=tiny_registry(), device="cpu")
        assert state() == before


def test_everything_at_once(plain, tmp_path):
    with ExitStack() as stack:
        for caller in ("float64", "inference_mode", "device context", "autocast", "anomaly", "short products"):
            stack.enter_context(CALLERS[caller]())
        seeds()
        before = state()
        mine = engine.run(composed(train_epochs=2), tmp_path / "run", registry=tiny_registry(), device="cpu")
        assert state() == before
    assert mine.scores == plain[0].scores


def test_threads_take_turns_and_give_the_same_numbers(plain, tmp_path, caplog):
    """Runs and evaluations at once: without turns, each would draw from the others' generators."""
    result, folder = plain
    caplog.set_level(logging.WARNING, "avelzoo")
    found, start = {}, threading.Barrier(4)

    def work(name):
        start.wait()
        if name == "evaluate":
            found[name] = engine.evaluate(engine.load_run(folder, tiny_registry()), device="cpu")
        else:
            out = tmp_path / name
            found[name] = engine.run(composed(train_epochs=2), out, registry=tiny_registry(), device="cpu").scores

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c", "evaluate")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys("abc", result.scores) | {"evaluate": result.scores["test"]}
    assert "waiting for another thread of this process" in caplog.text


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # forking beside the threads of other tests
def test_a_thread_may_enter_again_and_a_forked_process_starts_free():
    with isolated(), isolated():
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            with isolated():
                os.write(write, b"in")
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(read, 2) == b"in"
