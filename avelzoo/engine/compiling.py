"""Compiling the encoder, where it was asked for."""

from __future__ import annotations

import warnings

import torch

from avelzoo.composition.model import Model
from avelzoo.engine.rng import rng_preserved
from avelzoo.engine.rundir import RunWarning
from avelzoo.errors import first_line
from avelzoo.records import Batch


def compile_encoder(model: Model, example: Batch, *, backend: str = "inductor") -> str | None:
    """Have ``torch.compile`` rewrite the encoder, in which nearly all of a step's time is spent; try it once.

    What it returns stays the same within rounding, names in state dicts stay as they are. Where compiling fails (no
    compiler on the machine, a component it cannot read) the encoder goes on as it was, with a `RunWarning`.
    Generators are left as they were.

    Args:
        model: on its device; no gradients are kept on it.
        example: a batch as large as those to come, on the same device.
        backend: of ``torch.compile``.

    Returns:
        None once it is compiled, else why it is not.
    """
    encoder = model.encoder
    encoder.forward = torch.compile(encoder.forward, backend=backend)  # type: ignore[method-assign]
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
    del encoder.forward
    torch.compiler.reset()
    cause = getattr(trouble, "inner_exception", trouble)
    said = first_line(cause)
    warnings.warn(f"the encoder could not be compiled and runs as it is: {said}", RunWarning, stacklevel=2)
    return said
