"""Return values of the parts of a model, compared with their contracts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from torch import Tensor, nn

from avelzoo.channels import Channel
from avelzoo.errors import PluginError
from avelzoo.records import Batch, Encoded, Widths

R = TypeVar("R")

SEQUENCES = ("fused", "audio", "visual")


def built(kind: str, part: Any) -> Any:
    """A part that a config has built.

    Raises:
        PluginError: it is no module, or an encoder that does not say how wide its outputs are.
    """
    if not isinstance(part, nn.Module):
        raise PluginError(
            f"the {kind}'s config builds no module",
            found=_shown(part),
            expected=f"avelzoo.{kind.title()}",
            fix="return the module from the config's `build`",
        )
    if kind == "encoder" and not isinstance(getattr(part, "widths", None), Widths):
        raise PluginError(
            "the encoder does not say how wide its outputs are",
            where=place_of(part, "__init__"),
            expected="self.widths = Widths(fused=..., audio=..., visual=...) in __init__",
        )
    return part


def record(part: Any, method: str, value: Any, kind: type[R]) -> R:
    """Check the return value of a part's method.

    Raises:
        PluginError: it is no record of this kind.
    """
    if not isinstance(value, kind):
        raise _wrong(part, method, found=_shown(value), expected=f"avelzoo.{kind.__name__}")
    return value


def record_or_none(part: Any, method: str, value: Any, kind: type[R]) -> R | None:
    """The same for a method that may return None."""
    return None if value is None else record(part, method, value, kind)


def encoded(encoder: nn.Module | Callable[..., Any], value: Any, batch: Batch) -> Encoded:
    """Check the return value of an encoder.

    Raises:
        PluginError: it is no `Encoded`, or a sequence of it has another shape than the encoder's ``widths`` say.
    """
    found = record(encoder, "forward", value, Encoded)
    widths = getattr(encoder, "widths", None)
    for name in SEQUENCES if widths is not None else ():
        sequence, want = getattr(found, name), (*batch.audio.shape[:2], getattr(widths, name))
        if not isinstance(sequence, Tensor) or tuple(sequence.shape) != want or not sequence.is_floating_point():
            raise _wrong(
                encoder,
                "forward",
                found=f"{name}: {_shown(sequence)}",
                expected=f"{name}: a floating tensor {want}: videos, segments, and the width that `widths` says",
            )
    return found


def channels(memory: Any, value: Any, method: str = "observe") -> dict[Channel, Tensor]:
    """Check the return value of a memory's ``observe`` or ``infer``; None means no channels.

    Raises:
        PluginError: it is no mapping from channels to tensors.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(memory, method, found=_shown(value), expected="a mapping from channels to tensors, or None")
    for key, tensor in value.items():
        if not isinstance(key, Channel) or not isinstance(tensor, Tensor):
            found = f"{key!r}: {_shown(tensor)}"
            raise _wrong(memory, method, found=found, expected="a mapping from channels to tensors, or None")
    return dict(value)


def scalar(term: str, function: Any, value: Any) -> Tensor:
    """Check the return value of a loss term.

    Raises:
        PluginError: it is no scalar.
    """
    if not isinstance(value, Tensor) or value.dim() != 0:
        raise PluginError(
            f"the loss term '{term}' returns no scalar",
            where=place_of(function, "forward"),
            found=_shown(value),
            expected="a tensor without dimensions, such as a mean over videos",
        )
    return value


def place_of(part: Any, method: str) -> str:
    """File and line of a part's method, or of a function."""
    code = getattr(getattr(type(part), method, part), "__code__", None)
    return f"{code.co_filename}, line {code.co_firstlineno}" if code is not None else type(part).__qualname__


def _wrong(part: Any, method: str, *, found: str, expected: str) -> PluginError:
    return PluginError(
        f"`{type(part).__name__}.{method}` returns something else than its contract says",
        where=place_of(part, method),
        found=found,
        expected=expected,
        fix="`avelzoo check NAME` runs every check of a component",
    )


def _shown(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor {tuple(value.shape)} of {str(value.dtype).removeprefix('torch.')}"
    return "None" if value is None else f"a {type(value).__name__}"
