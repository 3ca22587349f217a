"""What makes the host wait for the GPU in a training step, counted operation by operation."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from avelzoo.builtin.memory import slots
from avelzoo.nn.cpu import plain_layers
from gpu.model import Trained
from gpu.rows import Job

READS = (
    *("_local_scalar_dense", "is_nonzero", "nonzero", "masked_select", "masked_scatter", "equal", "bincount"),
    *("_unique", "_unique2", "unique_dim", "unique_consecutive", "histc"),
)
"""ATen operations that make the host wait for a GPU, as their result or its shape depends on the data."""


class Reads(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operations that wait; indexing with a mask among them, which finds its nonzero elements."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count, then compute."""
        name = func._schema.name.partition("::")[2]  # noqa: SLF001, of every operation
        masked = name in ("index", "index_put", "index_put_") and any(
            value is not None and value.dtype in (torch.bool, torch.uint8) for value in args[1]
        )
        counted = name == "repeat_interleave" and func._overloadname != "self_int"  # noqa: SLF001
        if name in READS or masked or counted:
            self.found[f"{name} by mask" if masked else name] += 1
        return func(*args, **(kwargs or {}))


def check(job: Job) -> None:
    """A step after the bank is full: no operation of the list, and on a GPU no wait that CUDA reports."""
    trained = Trained(job.device, tiny=job.tiny)
    with _as_on_a_gpu(job.device):
        trained.fill()
        with Reads() as mode:
            trained.step(optimize=False)
        said = ", ".join(f"{name} {count}" for name, count in mode.found.items())
        job.add("operations that wait, in a step", ok=not mode.found, note=said)
        if job.device == "cuda":
            found = _reported(trained)
            said = "; ".join(f"{text} {count}" for text, count in found.most_common(3))
            job.add("waits that CUDA reports, in a step", ok=not found, note=said[:300])


@contextmanager
def _as_on_a_gpu(device: str) -> Iterator[None]:
    """On a CPU, take the paths of a GPU."""
    if device == "cuda":
        yield
        return
    real, slots.waits = slots.waits, lambda device: True
    try:
        with plain_layers():
            yield
    finally:
        slots.waits = real


def _reported(trained: Trained) -> Counter[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            trained.step(optimize=True)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return Counter(f"{w.filename.rpartition('/')[2]}:{w.lineno}" for w in caught if "synchroniz" in str(w.message))
