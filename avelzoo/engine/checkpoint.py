"""Weights and exact training state as safetensors: plain numbers, never unpickled."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from avelzoo.engine.files import write_whole
from avelzoo.errors import RunError

FORMAT = "avelzoo-1"


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        epochs_done: whole epochs behind it.
        best_epoch: 0-based epoch with the highest val accuracy so far, -1 before the first.
        best_val: that accuracy.
        best_test: the highest test accuracy of any epoch; only the optimism gap may use it.
        seconds: time spent training so far.
    """

    epochs_done: int = 0
    best_epoch: int = -1
    best_val: float = -1.0
    best_test: float = -1.0
    seconds: float = 0.0


def save_weights(path: Path, model: nn.Module) -> None:
    """A model's state dict, memory included, whole or not at all."""
    save_tensors(path, model.state_dict(), {})


def load_weights(path: Path, model: nn.Module) -> None:
    """Fill a model from ``save_weights``.

    Raises:
        RunError: the file is missing or damaged, or its entries are not the model's.
    """
    tensors, _ = load_tensors(path)
    own = model.state_dict()
    faults = [f"missing {k}" for k in own.keys() - tensors.keys()]
    faults += [f"unexpected {k}" for k in tensors.keys() - own.keys()]
    faults += [
        f"{k} is {tuple(tensors[k].shape)}, not {tuple(own[k].shape)}"
        for k in own.keys() & tensors.keys()
        if tensors[k].shape != own[k].shape
    ]
    if faults:
        raise RunError(
            "the checkpoint does not fit the composition",
            where=str(path),
            found="; ".join(sorted(faults)[:6]),
            fix="use the run folder as it was written, with the plugins it was written with",
        )
    model.load_state_dict(tensors)


def save_state(path: Path, model: nn.Module, optimizer: Optimizer, progress: Progress) -> None:
    """Everything that training goes on from: weights, memory, optimizer, generators, progress."""
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    plain = optimizer.state_dict()
    for index, slot in plain["state"].items():
        tensors |= {f"optimizer.{index}.{k}": torch.as_tensor(v) for k, v in slot.items()}
    tensors["rng.torch"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["rng.cuda"] = torch.cuda.get_rng_state()
    meta = {"progress": asdict(progress), "numpy": _numpy_state(), "python": list(_python_state())}
    save_tensors(path, tensors, meta)


def load_state(path: Path, model: nn.Module, optimizer: Optimizer) -> Progress:
    """Inverse of ``save_state``.

    Raises:
        RunError: the file is damaged or another model's.
    """
    tensors, meta = load_tensors(path)
    try:
        model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("optimizer."):
                _, index, name = key.split(".", 2)
                state.setdefault(int(index), {})[name] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
        torch.set_rng_state(tensors["rng.torch"])
        if "rng.cuda" in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors["rng.cuda"])
        np.random.set_state(tuple(meta["numpy"]))  # noqa: NPY002, plugins may use the global generator
        version, inner, gauss = meta["python"]
        random.setstate((version, tuple(inner), gauss))
        return Progress(**meta["progress"])
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise RunError("the saved training state cannot be used", where=str(path), found=str(error)[:300]) from error


def save_tensors(path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Tensors and plain data in one safetensors file, whole or not at all."""
    held = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    text = {"format": FORMAT, "meta": json.dumps(meta)}
    write_whole(path, lambda scratch: save_file(held, scratch, metadata=text))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Inverse of ``save_tensors``.

    Raises:
        RunError: the file is missing, damaged or of another kind.
    """
    try:
        with safe_open(path, framework="pt") as handle:
            text = handle.metadata() or {}
            tensors = {key: handle.get_tensor(key) for key in handle.keys()}  # noqa: SIM118, it is no mapping
    except FileNotFoundError:
        raise RunError("the run has no such file yet", where=str(path), fix="let the run finish an epoch") from None
    except (OSError, SafetensorError) as error:
        raise RunError(f"the file is damaged: {error}", where=str(path)) from error
    if text.get("format") != FORMAT:
        raise RunError("the file was not written by avelzoo", where=str(path), found=str(text.get("format")))
    return tensors, json.loads(text["meta"])


def _numpy_state() -> list[Any]:
    kind, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002
    return [kind, [int(k) for k in keys], int(position), int(has_gauss), float(gauss)]


def _python_state() -> tuple[int, list[int], float | None]:
    version, inner, gauss = random.getstate()
    return version, list(inner), gauss
