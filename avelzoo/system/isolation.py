"""Isolation from the caller's settings of PyTorch and NumPy: they change no results, and are restored."""

from __future__ import annotations

import logging
import os
import random
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch

_LOCK = threading.RLock()
_LOG = logging.getLogger("avelzoo")


def _new_lock() -> None:
    global _LOCK  # noqa: PLW0603, the lock of a forked process: its parent's may be held by a thread that is not here
    _LOCK = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)


@contextmanager
def isolated(*, generators: bool = True, exact: bool = True) -> Iterator[None]:
    """Run the block with PyTorch's and NumPy's defaults; afterwards, also after an error, restore the caller's state.

    - default dtype float32, default device CPU, gradients on, no inference mode, no autocast, no anomaly detection;
    - no deterministic algorithms (a run on a CPU turns them on), full float32 precision of products, cuDNN's defaults;
    - NumPy's default handling of floating-point errors;
    - the global random generators of PyTorch (CPU and every CUDA device in use), NumPy and Python are restored.

    Most of this state and all of these generators belong to the process, not to a thread. Only one thread at a time
    may enter; other threads wait and log a warning (logger ``avelzoo``). The lock is reentrant.

    Args:
        generators: whether to restore the random generators.
        exact: whether float32 products use full precision; otherwise the caller's setting (TF32) applies.
    """
    if not _LOCK.acquire(blocking=False):
        _LOG.warning("waiting for another thread of this process: both share the random generators")
        _LOCK.acquire()
    try:
        with ExitStack() as stack:
            if generators:
                stack.callback(_generators_restorer())
            for get, put, own in _PROCESS:
                before = get()
                if before != own:
                    stack.callback(put, before)
                    put(own)
            if exact:
                stack.enter_context(_exact_products())
            stack.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
            stack.enter_context(torch.inference_mode(mode=False))
            stack.enter_context(torch.enable_grad())
            for kind in ("cpu", "cuda"):
                if torch.is_autocast_enabled(kind):
                    stack.enter_context(torch.autocast(kind, enabled=False))
            if torch.get_default_device().type != "cpu":
                stack.enter_context(torch.device("cpu"))
            yield
    finally:
        _LOCK.release()


def seed_all(seed: int, device: torch.device) -> None:
    """Seed the global generators of NumPy, Python, and PyTorch on the CPU and one device; not on other devices."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002, plugins may use the global generator
    random.seed(seed)


def _generators_restorer() -> Callable[[], None]:
    """Return a function that restores the current state of all generators."""
    python, numpy = random.getstate(), np.random.get_state(legacy=False)  # noqa: NPY002
    ours = torch.get_rng_state()
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]

    def restore() -> None:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_rng_state(ours)
        for index, state in enumerate(devices):
            torch.cuda.set_rng_state(state, index)

    return restore


@contextmanager
def _exact_products() -> Iterator[None]:
    """Disable TF32 and bfloat16 inside float32 products, on CPUs and GPUs."""
    mkldnn = torch.backends.mkldnn
    homes: list[Any] = [
        torch.backends.cuda.matmul,
        *(getattr(mkldnn, part, None) for part in ("matmul", "conv", "rnn")),
    ]
    before = [(home, home.fp32_precision) for home in homes if hasattr(home, "fp32_precision")]  # from PyTorch 2.9 on
    try:
        overall: str | None = torch.get_float32_matmul_precision()
    except RuntimeError:  # set differently for different kinds of hardware
        overall = None
    if overall == "highest" and all(value in _EXACT for _, value in before):
        yield
        return
    try:
        torch.set_float32_matmul_precision("highest")
        for home, _ in before:
            if home.fp32_precision not in _EXACT:
                home.fp32_precision = "ieee"
        yield
    finally:
        if overall is not None:
            torch.set_float32_matmul_precision(overall)
        for home, value in before:
            home.fp32_precision = value


_EXACT = ("ieee", "none")


def deterministic() -> tuple[bool, bool]:
    """Whether PyTorch refuses non-deterministic algorithms, and whether it only warns."""
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def set_deterministic(mode: tuple[bool, bool], *, compiling: bool = False) -> None:
    """Set whether PyTorch refuses non-deterministic algorithms, and whether it only warns.

    Args:
        mode: both values.
        compiling: tell PyTorch's compiler, too, which is imported for that; it takes seconds.
    """
    if compiling or "torch._inductor" in sys.modules:
        torch.use_deterministic_algorithms(mode[0], warn_only=mode[1])
    else:
        torch.set_deterministic_debug_mode(("error", "warn")[mode[1]] if mode[0] else "default")


def _anomaly() -> tuple[bool, bool]:
    return torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()


def _set_anomaly(mode: tuple[bool, bool]) -> None:
    torch.autograd.set_detect_anomaly(*mode)


def _cudnn() -> tuple[bool, bool]:
    return torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic


def _set_cudnn(mode: tuple[bool, bool]) -> None:
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = mode


_PROCESS: tuple[tuple[Callable[[], Any], Callable[[Any], None], Any], ...] = (
    (torch.get_default_dtype, torch.set_default_dtype, torch.float32),
    (deterministic, set_deterministic, (False, False)),
    (_anomaly, _set_anomaly, (False, True)),
    (_cudnn, _set_cudnn, (False, False)),
)
"""For each setting: getter, setter, and the value used here."""
