"""Compilation with ``torch.compile``: the encoder, and for CUDA graphs the head too."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from avelzoo.composition.lengths import encode
from avelzoo.composition.model import Model
from avelzoo.engine.rng import rng_preserved
from avelzoo.engine.rundir import RunWarning
from avelzoo.errors import first_line
from avelzoo.records import Batch
from avelzoo.tensor_record import TensorRecord

Mode = Literal["default", "reduce-overhead"]

RECURRENT = 3
"""Number of calls after which a shape counts as one that comes back."""
SHAPES = 6
"""Largest number of shapes with a graph each; PyTorch compiles a function for at most eight."""


def compile_model(model: Model, example: Batch, *, mode: Mode = "default", backend: str = "inductor") -> str | None:
    """Compile the parts that take most of a step's time, and call them once.

    ``default`` compiles the encoder. ``reduce-overhead`` compiles encoder and head for each shape that comes back, and
    on a GPU records their kernels as CUDA graphs; other shapes (a bank that fills, a last small batch) run as written.

    Outputs stay equal within rounding; names in state dicts do not change. If compilation fails (no compiler on the
    machine, unsupported code in a component), the part stays uncompiled and a `RunWarning` is issued. Random
    generators do not change.

    Args:
        model: model on its device; its gradients are cleared.
        example: a batch of the training size, on the same device.
        mode: as above.
        backend: backend of ``torch.compile``.

    Returns:
        None if all parts are compiled, else the reason why not.
    """
    failures = []
    for name in ("encoder", "head") if mode == "reduce-overhead" else ("encoder",):
        failure = _compile(model, getattr(model, name), example, mode, backend)
        if failure is not None:
            failures.append(failure)
            warnings.warn(f"the {name} could not be compiled and runs uncompiled: {failure}", RunWarning, stacklevel=2)
    return "; ".join(failures) or None


def is_compiled(part: nn.Module) -> bool:
    """Whether a call of the module runs compiled code."""
    return part._compiled_call_impl is not None  # noqa: SLF001, set by `nn.Module.compile`, which has no inverse


def plain_model(model: Model) -> None:
    """Have calls of the parts run as they did before `compile_model`."""
    for part in (model.encoder, model.head):
        part._compiled_call_impl = None  # noqa: SLF001


def _compile(model: Model, part: nn.Module, example: Batch, mode: Mode, backend: str) -> str | None:
    if mode == "reduce-overhead":
        options = {"mode": mode} if backend == "inductor" else {}
        part.compile(backend=backend, dynamic=False, **options)
        part._compiled_call_impl = _ByShape(part)  # noqa: SLF001
    else:
        part.compile(backend=backend)
    was_training = part.training
    trouble: Exception | None = None
    with rng_preserved(example.audio.device):
        try:
            _try(model, part, example, RECURRENT if mode == "reduce-overhead" else 1)
        except Exception as error:  # noqa: BLE001, compilers raise anything
            trouble = error
        finally:
            part.train(was_training)
            model.zero_grad(set_to_none=True)
    if trouble is None:
        return None
    part._compiled_call_impl = None  # noqa: SLF001
    torch.compiler.reset()
    return first_line(getattr(trouble, "inner_exception", trouble))


def _try(model: Model, part: nn.Module, example: Batch, calls: int) -> None:
    """A training step's call of the part, and evaluation's, so often that both run compiled."""
    with torch.no_grad():
        view = model.view() if part is model.head else None
    for learns in (True, False):
        part.train(learns)
        with torch.set_grad_enabled(learns):
            for _ in range(calls):
                encoded = encode(model.encoder, example)
                found: TensorRecord = encoded if part is model.encoder else model.head(encoded, view)
            sums = [value.float().sum() for value in found.tensors().values() if value.requires_grad]
            if sums:
                torch.autograd.backward([torch.stack(sums).sum()])


class _ByShape:
    """Calls of a compiled module: shapes that come back run compiled, the others as written.

    The next call of a CUDA graph overwrites its outputs, so callers get copies.
    """

    def __init__(self, part: nn.Module) -> None:
        self._part = part
        self._compiled: Callable[..., TensorRecord] = part._compiled_call_impl  # type: ignore[assignment]  # noqa: SLF001
        self._calls: Counter[tuple[Any, ...]] = Counter()
        self._graphs: set[tuple[Any, ...]] = set()

    def __call__(self, *given: Any) -> TensorRecord:
        key = (*map(_shapes, given), self._part.training, torch.is_grad_enabled())
        self._calls[key] += 1
        if self._calls[key] >= RECURRENT and len(self._graphs) < SHAPES:
            self._graphs.add(key)
        if key in self._graphs:
            return self._compiled(*given).map(torch.clone)
        plain: TensorRecord = self._part._call_impl(*given)  # type: ignore[no-untyped-call]  # noqa: SLF001
        return plain


def _shapes(value: Any) -> Any:
    """Shapes and types of a tensor, or of a record's tensors; None for other values."""
    if isinstance(value, Tensor):
        return tuple(value.shape), value.dtype
    if isinstance(value, TensorRecord):
        return tuple((name, _shapes(one)) for name, one in value.tensors().items())
    return None
