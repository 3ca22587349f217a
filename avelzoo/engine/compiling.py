"""Compilation of the encoder with ``torch.compile``."""

from __future__ import annotations

import warnings

import torch
from torch import nn

from avelzoo.composition.model import Model
from avelzoo.engine.rng import rng_preserved
from avelzoo.engine.rundir import RunWarning
from avelzoo.errors import first_line
from avelzoo.records import Batch


def compile_encoder(model: Model, example: Batch, *, backend: str = "inductor") -> str | None:
    """Compile the encoder, which takes most of a step's time, and call it once.

    Outputs stay equal within rounding; names in state dicts do not change. If compilation fails (no compiler on the
    machine, unsupported code in a component), the encoder stays uncompiled and a `RunWarning` is issued. Random
    generators do not change.

    Args:
        model: model on its device; its gradients are cleared.
        example: a batch of the training size, on the same device.
        backend: backend of ``torch.compile``.

    Returns:
        None if the encoder is compiled, else the reason why not.
    """
    encoder = model.encoder
    encoder.compile(backend=backend)
    was_training = encoder.training
    trouble: Exception | None = None
    with rng_preserved(example.audio.device):
        try:
            encoder.train()(example.audio, example.visual).fused.sum().backward()
            encoder.eval()
            with torch.no_grad():
                encoder(example.audio, example.visual)
        except Exception as error:  # noqa: BLE001, compilers raise anything
            trouble = error
        finally:
            encoder.train(was_training)
            encoder.zero_grad(set_to_none=True)
    if trouble is None:
        return None
    plain_encoder(model)
    torch.compiler.reset()
    cause = getattr(trouble, "inner_exception", trouble)
    said = first_line(cause)
    warnings.warn(f"the encoder could not be compiled and runs uncompiled: {said}", RunWarning, stacklevel=2)
    return said


def is_compiled(encoder: nn.Module) -> bool:
    """Whether a call of the module runs compiled code."""
    return encoder._compiled_call_impl is not None  # noqa: SLF001, set by `nn.Module.compile`, which has no inverse


def plain_encoder(model: Model) -> None:
    """Have calls of the encoder run as they did before `compile_encoder`."""
    model.encoder._compiled_call_impl = None  # noqa: SLF001
