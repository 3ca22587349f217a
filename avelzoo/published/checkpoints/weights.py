"""Search for the weights in a checkpoint's object, and checks that they are usable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from avelzoo.errors import RunError, UsageError, some
from avelzoo.published.checkpoints.inert import Array, Inert, Parameter, Unreadable

WRAPPERS = (
    "state_dict", "model_state_dict", "model_state", "model_dict", "model", "net_state_dict", "net", "network",
    "weights", "params", "parameters", "module", "backbone",
)  # fmt: skip
"""Names under which training scripts store a state dict; the first one present is used."""
_AVERAGED = ("ema", "ema_state_dict", "state_dict_ema", "model_ema", "ema_model", "params_ema", "teacher", "shadow")
"""Names of averaged weights: used if there are no others."""
_OTHERS = ("optim", "sched", "scaler", "amp", "rng", "callback", "loops", "history")
"""Prefixes of names under which a training script stores its own state."""
_DEPTH = 4
_SHOWN = 6


class Found(NamedTuple):
    """Weights found in a checkpoint.

    Attributes:
        state: tensors by name.
        key: entry that holds the weights, such as ``checkpoint.model``; empty at the top.
        beside: other entries with tensors by name; not used.
        left_out: entries among the weights that are not tensors; not used.
    """

    state: dict[str, Tensor]
    key: str
    beside: tuple[str, ...]
    left_out: tuple[str, ...]


def find(value: Any, key: str | None = None) -> Found:
    """Find the weights in a checkpoint's object.

    Args:
        value: a state dict, a module, or either inside dictionaries or settings objects.
        key: entry that holds the weights; None to search for it.

    Raises:
        RunError: no weights, or several candidates without a name that identifies the model's; or a tensor has no
            readable values.
        UsageError: no entry has this key.
    """
    places = dict(_places(value))
    if key is not None:
        if key not in places:
            raise UsageError(
                f"the checkpoint holds no weights under '{key}'",
                expected=some([path for path in places if path], _SHOWN) or "no key",
            )
        chosen = key
    elif not places:
        raise RunError(
            "the checkpoint is not a state dict",
            found=_described(value),
            expected="a mapping from names to tensors, or a module, alone or inside a dictionary",
            fix="torch.save(model.state_dict(), FILE)",
        )
    else:
        chosen = _best(places)
    entries = places[chosen]
    broken = {name: entry.origin for name, entry in entries.items() if isinstance(entry, Unreadable)}
    if broken:
        kind = next(iter(broken.values()))
        raise RunError(
            f"a tensor of the checkpoint is {kind}",
            found=some([repr(name) for name in broken], 1),
            expected="dense tensors with values",
            fix=_DENSE.get(kind, "save the state dict of the plain model on a CPU"),
        )
    state = {name: tensor for name, entry in entries.items() if (tensor := _tensor(entry)) is not None}
    beside = tuple(path or "(top)" for path in places if path != chosen and not path.startswith(f"{chosen}."))
    left = tuple(name for name in entries if name not in state and f"{chosen}.{name}".lstrip(".") not in places)
    return Found(state, chosen, beside, left if len(left) < len(entries) else ())


_DENSE = {
    "sparse": "save it as tensor.to_dense()",
    "quantized": "save the model before it was quantized, or tensor.dequantize()",
    "on the device 'meta', which keeps no values": "save the model after its weights were loaded",
}


def as_float32(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Convert the weights to float32; also return the number of rounded tensors by number format.

    Raises:
        RunError: some weights are complex.
    """
    strange = [f"'{name}' is {_name(value.dtype)}" for name, value in state.items() if value.is_complex()]
    if strange:
        raise RunError(
            "the checkpoint holds complex numbers", found=some(strange, _SHOWN), expected="real numbers",
            fix="save the real part, if the model uses only that",
        )  # fmt: skip
    cast: dict[str, int] = {}
    made = {}
    for name, value in state.items():
        made[name] = value.float() if value.is_floating_point() else value
        if value.is_floating_point() and value.dtype is not torch.float32:
            cast[_name(value.dtype)] = cast.get(_name(value.dtype), 0) + 1
    return made, cast


def not_finite(state: Mapping[str, Tensor]) -> list[str]:
    """Names of weights that contain NaN or infinite values."""
    return [name for name, value in state.items() if value.is_floating_point() and not value.isfinite().all()]


def _places(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (path, entries) of everything that holds tensors by name, from the top down."""
    if isinstance(value, Inert) and _is_module(value):
        yield path, dict(_module_entries(value))
        return
    entries = _entries(value)
    named = {name: entry for name, entry in entries.items() if isinstance(name, str)}
    if (
        not isinstance(value, list | tuple)
        and len(named) == len(entries)
        and any(_is_weight(entry) for entry in named.values())
    ):
        yield path, named
    if depth < _DEPTH:
        for name, entry in named.items():
            if not name.lower().startswith(_OTHERS) and not _is_weight(entry):
                yield from _places(entry, f"{path}.{name}" if path else name, depth + 1)


def _entries(value: Any) -> Mapping[Any, Any]:
    """Items of a dictionary, a list or an object, by name."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list | tuple):
        return {str(index): entry for index, entry in enumerate(value)} if len(value) < 100 else {}
    if isinstance(value, Inert) and not _is_weight(value):  # the last: a compiled module, a named tuple
        return value.entries or value.attributes or _entries(value.args)
    return {}


def _is_weight(value: Any) -> bool:
    return _tensor(value) is not None or isinstance(value, Unreadable)


def _tensor(value: Any) -> Tensor | None:
    if isinstance(value, Parameter):
        value = value.args[0] if value.args else None
    if isinstance(value, Array):
        return value.tensor()
    return value if isinstance(value, Tensor) else None


def _is_module(value: Inert) -> bool:
    return isinstance(value.attributes.get("_modules"), Mapping) or isinstance(
        value.attributes.get("_parameters"), Mapping
    )


def _module_entries(module: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Tensors of a pickled module, named and ordered as in its state dict."""
    if not isinstance(module, Inert):
        return
    transient = module.attributes.get("_non_persistent_buffers_set")
    for kind in ("_parameters", "_buffers"):
        for name, value in (module.attributes.get(kind) or {}).items():
            if _is_weight(value) and not (isinstance(transient, set) and name in transient):
                yield f"{prefix}{name}", value
    for name, child in (module.attributes.get("_modules") or {}).items():
        yield from _module_entries(child, f"{prefix}{name}.")


def _best(places: Mapping[str, Mapping[str, Any]]) -> str:
    """Choose the entry whose name identifies the model; else the top if it holds most tensors; else the only one."""
    named = [path for path in places if _rank(path) < len(WRAPPERS)]
    if named:
        return min(named, key=lambda path: (_rank(path), path.count(".")))
    count = {path: sum(map(_is_weight, entries.values())) for path, entries in places.items()}
    if count.get("") == max(count.values()):
        return ""
    nested = [path for path in places if path and not _is_averaged(path)] or [next(filter(None, places))]
    if len(nested) == 1:
        return nested[0]
    raise RunError(
        "several entries of the checkpoint could be the weights", found=some(nested, _SHOWN),
        expected=f"a single entry, or one named {', '.join(WRAPPERS[:4])} or similar",
        fix="choose one with --key NAME",
    )  # fmt: skip


def _rank(path: str) -> int:
    """Rank of a path as the model's: the rank of its least certain name."""
    if path == "" or _is_averaged(path):
        return len(WRAPPERS)
    ranks = [WRAPPERS.index(name) if name in WRAPPERS else None for name in path.split(".")]
    known = [rank for rank in ranks if rank is not None]
    return min(known) if known else len(WRAPPERS)


def _is_averaged(path: str) -> bool:
    return any(name in _AVERAGED for name in path.split("."))


def _described(value: Any) -> str:
    kind = value.origin if isinstance(value, Inert) else type(value).__name__
    entries = _entries(value)
    what = some([f"{name!r} ({_kind(entry)})" for name, entry in entries.items()], _SHOWN)
    return (kind or "a pickled object") + (f" with {what}" if what else "")


def _kind(entry: Any) -> str:
    return entry.origin if isinstance(entry, Inert) and entry.origin else type(entry).__name__


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
