"""Weights and exact training state as safetensors: tensors and plain data, no pickle."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from avelzoo.composition.state import load_strictly
from avelzoo.engine.device import Fabric
from avelzoo.engine.rng import Generators
from avelzoo.errors import PluginError, RunError
from avelzoo.system.files import write_whole

FORMAT = "avelzoo-1"

Read = Callable[[Path], tuple[dict[str, Tensor], dict[str, Any]]]
"""Tensors and plain data of a file."""


@dataclass
class Progress:
    """Progress of a run.

    Attributes:
        epochs_done: number of completed epochs.
        best_epoch: epoch with the highest val accuracy so far, counted from 1; 0 before the first.
        best_val: val accuracy of that epoch.
        seconds: time spent so far.
        history: lines of ``metrics.jsonl``, one per epoch.
    """

    epochs_done: int = 0
    best_epoch: int = 0
    best_val: float = -1.0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


def save_weights(path: Path, model: nn.Module, *, epoch: int | None) -> None:
    """Write a model's state dict, including the memory, atomically.

    Args:
        path: the file.
        model: model to save.
        epoch: epoch of the weights, counted from 1; None for imported weights.
    """
    save_tensors(path, model.state_dict(), {"epoch": epoch})


def load_weights(path: Path, model: nn.Module, *, read: Read | None = None) -> int | None:
    """Load weights written by ``save_weights`` into a model; returns the epoch.

    Args:
        path: the file.
        model: model to load into.
        read: function that reads the file; `load_tensors` by default.

    Raises:
        RunError: the file is missing or damaged, or its entries are not the model's.
    """
    tensors, meta = (read or load_tensors)(path)
    _fill(model, tensors, path)
    epoch: int | None = meta.get("epoch")
    return epoch


def save_state(
    path: Path,
    model: nn.Module,
    average: nn.Module | None,
    optimizer: Optimizer,
    *,
    fabric: Fabric,
    generators: Generators,
    progress: Progress,
) -> None:
    """Write the state needed to resume: weights, memory, optimizer, loss scale, random generators, progress."""
    numbers, plain = generators
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    if average is not None:
        tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    for index, slot in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in slot.items()}
    tensors |= {f"generator.{name}": value for name, value in numbers.items()}
    meta = {"progress": asdict(progress), "precision": fabric.state_dict(), "generators": plain}
    save_tensors(path, tensors, meta)


def load_state(
    path: Path,
    model: nn.Module,
    average: nn.Module | None,
    optimizer: Optimizer,
    fabric: Fabric,
    *,
    read: Read | None = None,
) -> tuple[Progress, Generators]:
    """Inverse of ``save_state``; the caller sets the random generators, just before training continues.

    Args:
        path: the file.
        model: model to load into.
        average: moving average to load into, if the run keeps one.
        optimizer: optimizer to load into.
        fabric: device and number format; its loss scale is set.
        read: function that reads the file; `load_tensors` by default.

    Raises:
        RunError: the file is damaged or belongs to another model.
    """
    tensors, meta = (read or load_tensors)(path)
    _fill(model, _part(tensors, "model."), path)
    if average is not None:
        _fill(average, _part(tensors, "average."), path)
    slots: dict[int, dict[str, Tensor]] = {}
    for key, value in _part(tensors, "optimizer.").items():
        index, _, name = key.partition(".")
        slots.setdefault(int(index), {})[name] = value
    try:
        optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
        fabric.load_state_dict(meta["precision"])
        return Progress(**meta["progress"]), (_part(tensors, "generator."), meta["generators"])
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise RunError(
            "the saved training state cannot be used",
            where=str(path),
            found=str(error)[:300],
            fix=f"delete '{path.parent}' and use --resume to train this run from the start",
        ) from error


def save_tensors(path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Write tensors and plain data to one safetensors file, atomically.

    Raises:
        PluginError: a value of the state is not a tensor.
        StorageError: the file cannot be written.
    """
    held: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, value in tensors.items():
        if not isinstance(value, Tensor):
            raise PluginError(
                f"'{name}' in the model's state is not a tensor",
                found=type(value).__name__,
                fix="keep a component's state in parameters and buffers",
            )
        plain = value.detach().cpu().contiguous()
        storage = plain.untyped_storage().data_ptr()
        held[name] = plain.clone() if storage in seen else plain  # tied weights are written twice
        seen.add(storage)
    text = json.dumps(
        {"format": FORMAT} | dict(meta)
    )  # under one key: safetensors does not keep the order of several keys
    write_whole(path, lambda scratch: save_file(held, scratch, metadata={"avelzoo": text}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Inverse of ``save_tensors``.

    Raises:
        RunError: the file is missing, damaged or has another format.
    """
    try:
        with safe_open(path, framework="pt") as handle:
            meta = json.loads((handle.metadata() or {}).get("avelzoo", "{}"))
            tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118, it is no mapping
        form = meta.pop("format", "none")
        if form == FORMAT:
            return tensors, meta
    except FileNotFoundError:
        raise RunError(
            "this file of the run does not exist yet", where=str(path), fix="finish at least one epoch with --resume"
        ) from None
    except (OSError, SafetensorError, ValueError) as error:
        raise RunError(
            f"a file of the run is damaged: {error}",
            where=str(path),
            fix="restore the file from a copy, or start a new run",
        ) from error
    raise RunError(
        "the file was not written by this avelzoo",
        where=str(path),
        found=f"format {form}",
        expected=f"format {FORMAT}",
        fix="use the version of avelzoo that composition.json names",
    )


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _fill(model: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    fix = "use the versions of avelzoo and its plugins that composition.json names"
    load_strictly(model, tensors, "the run's weights do not fit its composition", where=str(path), fix=fix)
