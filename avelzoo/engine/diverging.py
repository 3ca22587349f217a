"""Divergence as one error, whether found in a loss, weights, outputs or an operation that raises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from traceback import walk_tb
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from avelzoo.errors import AvelzooError, TrainingError, first_line, some
from avelzoo.records import HeadOutput, Predictions

FIX = (
    "lower optimizer.learning_rate, set train.clip_norm, use --precision 32 or 64,"
    " or check the features with `avelzoo data doctor`"
)
HUGE_WEIGHT = 1e6
HUGE_OUTPUT = 1e10
"""Magnitudes that no working model reaches; their squares and exponentials overflow float32."""

_LOGITS = ("event_logits", "relevance_logits", "category_relevance_logits", "segment_logits", "prototype_logits")
EVALUATION = "evaluation on"
_ASSERTED = "device-side assert"
_PARTS = ("encoder", "memory", "head", "objective")


@contextmanager
def divergence_named(
    model: nn.Module, where: str, replay: Callable[[], object], known: Callable[[], str] = lambda: ""
) -> Iterator[None]:
    """Convert an error caused by diverged numbers to a `TrainingError`; other errors are raised unchanged.

    Given NaN or infinity, operations raise errors such as index out of range or probability outside [0, 1]. The cause
    counts as divergence if weights, inputs or a module's outputs are not finite or are huge.

    Args:
        model: the model.
        where: epoch and step, or split.
        replay: repeats the computation, so that every module's output can be checked.
        known: further findings, such as the last loss.

    Raises:
        TrainingError: numbers have diverged; the part that raised is named.
    """
    try:
        yield
    except AvelzooError:
        raise
    except (RuntimeError, ValueError, IndexError, ArithmeticError, AssertionError) as error:
        if type(error).__name__ == "OutOfMemoryError":
            raise
        said = first_line(error)
        if _ASSERTED in str(error):  # tensors on this device cannot be read any more
            raise TrainingError(
                "the GPU rejected an index or a probability; NaN or infinite numbers cause this",
                where=where,
                found=said,
                fix=f"repeat with --device cpu, which names the operation; if it is divergence, {FIX}",
            ) from error
        evidence = spoiled_weights(model) or _spoiled_output(replay)
        if not evidence:
            raise
        found = [evidence, known(), f"{_part(model, error)} raised {type(error).__name__}: {said}"]
        raise TrainingError(
            "training diverged: numbers are not finite or too large",
            where=where,
            found="; ".join(filter(None, found)),
            expected="finite numbers",
            fix=FIX,
        ) from error


@contextmanager
def in_epoch(epoch: int) -> Iterator[None]:
    """Add the epoch (0-based) to an evaluation's divergence error."""
    try:
        yield
    except TrainingError as error:
        if error.where.startswith(EVALUATION):
            error.where = f"epoch {epoch + 1}, {error.where}"
        raise


def spoiled_weights(model: nn.Module) -> str:
    """Parameters that are not finite or above `HUGE_WEIGHT`, and buffers that hold NaN, in words; empty for none."""
    weights = {name: value.detach() for name, value in model.named_parameters()}
    wrong = [name for name, value in weights.items() if not _fine(value, HUGE_WEIGHT)]
    held = [name for name, value in model.named_buffers() if value.is_floating_point() and bool(value.isnan().any())]
    return " and ".join(filter(None, (_listed("weights", wrong), _listed("state", held))))


def require_finite(output: HeadOutput, predictions: Predictions, where: str) -> None:
    """Refuse logits and scores that are NaN, and a relevance that is not finite.

    Raises:
        TrainingError: an output is NaN or not finite; the error names it.
    """
    given = {name: getattr(output, name) for name in _LOGITS}
    given |= {"category scores": predictions.category_scores}
    wrong = [name for name, value in given.items() if value is not None and bool(value.isnan().any())]
    wrong += [] if bool(predictions.relevance.isfinite().all()) else ["relevance"]
    if wrong:
        raise TrainingError(
            "the model's outputs are not finite",
            where=where,
            found="NaN or infinity in " + ", ".join(wrong),
            expected="finite numbers",
            fix=FIX,
        )


def _fine(value: Tensor, huge: float) -> bool:
    """Whether all numbers have a magnitude up to ``huge``; -inf, used for masking, is allowed."""
    if not value.is_floating_point() or value.numel() == 0:
        return True
    known = value.detach().masked_fill(value == -torch.inf, 0).abs().max()
    return bool(known.isfinite()) and bool(known <= huge)


def _spoiled_output(replay: Callable[[], object]) -> str:
    """The first module whose input or output is not finite or huge, in words; empty for none."""
    found: list[str] = []

    def look(module: nn.Module, given: tuple[Any, ...], out: Any) -> None:
        for what, values in (("input", given), ("output", out)):
            if not found and not all(_fine(value, HUGE_OUTPUT) for value in _tensors(values)):
                found.append(f"the {what} of {type(module).__name__} is not finite or above {HUGE_OUTPUT:g}")

    handle = register_module_forward_hook(look)
    try:
        with torch.no_grad(), suppress(Exception):  # the replay raises the same error again
            replay()
    finally:
        handle.remove()
    return next(iter(found), "")


def _tensors(values: Any) -> Iterator[Tensor]:
    """Tensors of nested tuples, mappings and records."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, tuple | list):
        for value in values:
            yield from _tensors(value)
    elif isinstance(values, Mapping):
        yield from _tensors(tuple(values.values()))
    elif is_dataclass(values):
        yield from _tensors(tuple(getattr(values, field.name) for field in fields(values)))


def _part(model: nn.Module, error: BaseException) -> str:
    """The part of the model that raised the error."""
    parts = {id(getattr(model, name, None)): name for name in _PARTS}
    inside = [id(frame.f_locals.get("self")) for frame, _ in walk_tb(error.__traceback__)]
    return next((f"the {parts[one]}" for one in reversed(inside) if one in parts), "the step")


def _listed(what: str, names: list[str]) -> str:
    return f"{what} {some(names)}" if names else ""
