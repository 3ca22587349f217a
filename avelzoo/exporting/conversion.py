"""Conversion of a module to an ONNX graph, and which part of a model stops it."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from avelzoo.errors import CompositionError
from avelzoo.exporting.operators import translations

if TYPE_CHECKING:
    from avelzoo.engine import LoadedRun
    from avelzoo.exporting.inference import Inference

LOGGERS = ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def convert(module: nn.Module, features: tuple[Tensor, Tensor], outputs: Sequence[str]) -> Any:
    """The ONNX model of a module of (audio, visual), by PyTorch's dynamo exporter; the number of videos is free.

    Args:
        module: module in evaluation mode.
        features: (b t a), (b t h w v) with b > 1; all sizes except b are constant in the model.
        outputs: names of the module's outputs.
    """
    videos = torch.export.Dim("videos", min=1)
    with _quiet(), torch.no_grad():
        program: Any = torch.onnx.export(
            module,
            features,
            dynamo=True,
            input_names=["audio", "visual"],
            output_names=list(outputs),
            dynamic_shapes=({0: videos}, {0: videos}),
            custom_translation_table=translations(),
            verbose=False,
        )
    return program.model_proto


def failure(
    run: LoadedRun, inference: Inference, features: tuple[Tensor, Tensor], error: Exception
) -> CompositionError:
    """The error for users: the part that cannot be converted, and the converter's reason."""
    slot, reason = "head", error
    try:
        convert(_EncoderOnly(inference.encoder), features, ())
    except Exception as found:  # noqa: BLE001 - the converter raises errors of many kinds
        slot, reason = "encoder", found
    entry = run.composition.entries.get(slot)
    return CompositionError(
        f"the {slot} cannot be exported to ONNX",
        where=f"{slot}: {entry.qualified if entry else type(getattr(inference, slot)).__name__}",
        found=_first_cause(reason),
        fix=f"use only tensor operations in the {slot}: no branches on values, no NumPy, no Python numbers of tensors",
    )


class _EncoderOnly(nn.Module):
    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, audio: Tensor, visual: Tensor) -> tuple[Tensor, ...]:
        encoded = self.encoder(audio, visual)
        return tuple(encoded.given().values())


def _first_cause(error: BaseException) -> str:
    """The innermost exception's first line."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in _ESCAPES.sub("", str(error)).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the converter's remarks on its own progress; errors are raised, not logged."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
