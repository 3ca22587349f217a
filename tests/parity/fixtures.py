"""Golden inputs and outputs: the fill rule and the comparison.

Those of public implementations lie beside the project; two tiny ones of naive code are in `tests/parity/own`.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from avelzoo.plugin.host import PluginHost
from avelzoo.published.official import official_outputs

if TYPE_CHECKING:
    from torch import Tensor

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "parity"
OWN = Path(__file__).resolve().parent / "own"


def names() -> list[str]:
    """Every fixture that is there."""
    return sorted(file.stem for folder in (FOLDER, OWN) for file in folder.glob("*.json"))


def _file(name: str, suffix: str) -> Path:
    own = OWN / f"{name}.json"
    return (own if own.exists() else FOLDER / f"{name}.json").with_suffix(suffix)


@cache
def description(name: str) -> dict[str, Any]:
    """The fixture's json."""
    found: dict[str, Any] = json.loads(_file(name, ".json").read_text())
    return found


@cache
def expected(name: str) -> dict[str, np.ndarray]:
    """The values the public code returned; empty where they are kept back."""
    file = _file(name, ".npz")
    return dict(np.load(file)) if file.exists() else {}


def draw(seed: str, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal numbers seeded by a text."""
    return np.random.default_rng(zlib.crc32(seed.encode())).standard_normal(shape).astype(np.float32)


def state_dict(name: str) -> dict[str, np.ndarray]:
    """Every entry of the public state dict, filled by the fixture's rule."""
    return filled(description(name))


def filled(spec: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """A state dict by the rule of a description."""
    aliases = spec.get("aliases", {})
    return {
        key: fill(aliases.get(key, key), tuple(shape), spec["fill_kind"][aliases.get(key, key)])
        for key, shape, _ in spec["state_dict"]
    }


def fill(key: str, shape: tuple[int, ...], kind: str) -> np.ndarray:
    """One entry by its kind."""
    if kind == "weight":
        return draw(key, shape) * np.float32(1 / math.sqrt(math.prod(shape[1:])))
    if kind == "vector":
        return draw(key, shape) * np.float32(0.02)
    if kind == "norm_weight":
        return np.float32(1) + np.float32(0.02) * draw(key, shape)
    if kind == "bank_relu":
        return np.maximum(draw("input:" + key, shape), np.float32(0))
    if kind == "bank_abs":
        return np.abs(draw("input:" + key, shape))
    if kind == "computed":
        length, _, width = shape
        angle = np.arange(length)[:, None] * np.exp(-np.arange(0, width, 2) * math.log(10000.0) / width)
        table = np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(length, 1, width)
        return table.astype(np.float32)
    raise KeyError(kind)


def inputs(name: str) -> dict[str, np.ndarray]:
    """Features by the fixture's rule, labels as its text states them."""
    return drawn(name, description(name))


def drawn(name: str, spec: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Inputs by the rule of a description."""
    found: dict[str, np.ndarray] = {}
    for key, shape, _, seed in spec["inputs"]:
        kind = spec["input_transform"][key]
        if kind == "labels":
            found[key] = labels(name, tuple(shape))
        else:
            found[key] = np.abs(draw(seed, tuple(shape))) if kind == "abs" else np.maximum(draw(seed, tuple(shape)), 0)
    return found


def labels(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Segment labels (3 t n+1); video labels (3 29) as proportions or one-hot, by system."""
    if name.startswith("mmpyramid"):
        out = np.zeros(shape, np.float32)
        for k in range(3):
            out[k, [(5 * k + 2) % 25, (7 * k + 1) % 25]] = 1
        return out
    segments = np.zeros(shape if len(shape) == 3 else (3, 10, 29), np.float32)
    n = segments.shape[-1] - 1
    for k in range(3):
        for t in range(segments.shape[1]):
            segments[k, t, (5 * k + 2) % n if k <= t <= k + 5 else n] = 1
    if len(shape) == 3:
        return segments
    if name.startswith(("ge2023", "psp")):
        return segments.mean(axis=1)
    return (segments[..., :28].max(axis=1) @ np.eye(28, 29, dtype=np.float32)).astype(np.float32)


@cache
def host() -> PluginHost:
    """All installed plugins, and the public code of another task that a recipe's encoder is compared with."""
    found = PluginHost()
    if find_spec("avelzoo_baselines"):
        from tests.parity import parsing

        found.add(parsing, name="parsing")
    return found


def outputs(
    name: str, mode: str, *, state: Mapping[str, Any] | None = None, given: Mapping[str, Any] | None = None
) -> dict[str, Tensor]:
    """What avelzoo computes for a fixture, or for another state dict or other inputs in its place."""
    spec = description(name)
    state, given = state or state_dict(name), given or inputs(name)
    return official_outputs(spec["system"], spec["setting"], state, given, mode, host=host())


def modes(name: str) -> list[str]:
    """Prefixes of the outputs, in order."""
    return list(dict.fromkeys(row[0].split(".", 1)[0] for row in description(name)["outputs"]))


def excesses(name: str, mode: str, got: Mapping[str, Any]) -> dict[str, float]:
    """Largest difference of every compared array of a mode, as a multiple of its tolerance."""
    keys = description(name).get("parameters", [])
    found: dict[str, float] = {}
    for full, _, _ in description(name)["outputs"]:
        prefix, short = full.split(".", 1)
        if prefix == mode and full in expected(name) and short in got:
            found[short] = _excess(short, np.asarray(expected(name)[full]), np.asarray(got[short]), keys)
    return found


def mismatches(name: str, mode: str, got: Mapping[str, Any]) -> dict[str, str]:
    """Arrays of a mode that are absent or outside the stated tolerance: name -> what is wrong."""
    faults: dict[str, str] = {}
    keys = description(name).get("parameters", [])
    for full, _, meaning in description(name)["outputs"]:
        prefix, short = full.split(".", 1)
        if prefix != mode or full not in expected(name):
            continue
        if short not in got:
            if not meaning.startswith("intermediate"):
                faults[short] = "absent"
            continue
        want, have = np.asarray(expected(name)[full]), np.asarray(got[short])
        if want.shape != have.shape:
            faults[short] = f"shape {have.shape}, not {want.shape}"
        elif (excess := _excess(short, want, have, keys)) > 1:
            faults[short] = f"{excess:.3g} times the tolerance"
    return faults


def _excess(short: str, want: np.ndarray, have: np.ndarray, keys: list[str]) -> float:
    """Largest difference as a multiple of the tolerance that the fixture states for this array."""
    if want.dtype == np.int64:
        return 0.0 if np.array_equal(want, have) else math.inf
    want, have = want.astype(np.float64), have.astype(np.float64)
    if not np.array_equal(np.isnan(want), np.isnan(have)):
        return math.inf
    want, have = np.nan_to_num(want), np.nan_to_num(have)
    loose = np.array([key.endswith("in_proj_bias") for key in keys])
    if short == "grad_norm":
        allowed = 1e-3 * want + 1e-6 * want.max()
    elif short == "adam_delta_abs_sum":
        allowed = np.where(loose, 0.35, 0.01) * want
    elif short in ("adam_delta_probe", "adam_param_abs_sum"):
        shapes = {key: shape for key, shape, _ in description_shapes(keys)}
        unit = np.array([3e-4 * math.sqrt(math.prod(shapes[key])) for key in keys])
        allowed = np.where(loose, 1.5, 0.05) * unit + (1e-7 * want if short == "adam_param_abs_sum" else 0)
    elif short.startswith(("bank.cls_v_queue", "bank.cls_a_queue")):
        allowed = 1e-6 * np.abs(want)
    else:
        allowed = np.full(want.shape, 1e-4 * np.abs(want).max() if want.size else 0.0)
    difference = np.abs(want - have)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(difference == 0, 0.0, difference / allowed)
    return float(ratio.max(initial=0.0))


def description_shapes(keys: list[str]) -> list[tuple[str, list[int], str]]:
    """State dict rows of the fixture whose parameters are ``keys``."""
    for file in sorted(FOLDER.glob("*.json")):
        spec = description(file.stem)
        if spec.get("parameters") == keys:
            rows: list[tuple[str, list[int], str]] = spec["state_dict"]
            return rows
    raise KeyError("no fixture has these parameters")
