"""Speeds of float32 and bf16 products on this processor, measured once and cached. Reading the cache needs no torch."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from avelzoo.errors import StorageError
from avelzoo.system.caches import cache_folder
from avelzoo.system.files import make_folder, write_json

Bf16Units = Literal["AMX", "AVX512", "none"]

FILE = "product-speeds.json"
MATRIX_FLAGS = ("amx_bf16", "avx512_bf16", "avx512f", "avx2")
"""Instructions of a processor on which the speeds depend, as Linux names them."""

_VARIABLES = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
"""Variables that keep PyTorch from using instructions."""


@dataclass(frozen=True)
class Speeds:
    """FLOP/s of matrix products on the processor.

    Attributes:
        float32: speed of float32 products.
        bf16: speed of bf16 products.

    >>> Speeds(100e9, 450e9).ratio
    4.5
    """

    float32: float
    bf16: float

    @property
    def ratio(self) -> float:
        """Speed of bf16 products over that of float32 products."""
        return self.bf16 / self.float32


def processor_speeds() -> Speeds:
    """Speeds with PyTorch's present number of threads: cached, or measured in less than a second."""
    import torch

    threads = torch.get_num_threads()
    cached = cached_speeds().get(threads)
    if cached is not None:
        return cached
    from avelzoo.system.products import product_speeds

    found = product_speeds(torch.device("cpu"), [torch.float32, torch.bfloat16])
    speeds = Speeds(found[torch.float32], found[torch.bfloat16])
    _keep(threads, speeds)
    return speeds


def cached_speeds(folder: Path | None = None) -> dict[int, Speeds]:
    """Cached speeds of this processor under the installed PyTorch, by number of threads."""
    found: dict[int, Speeds] = {}
    for threads, row in _read(folder or cache_folder()).get(_key(), {}).items():
        with suppress(TypeError, ValueError):
            speeds = Speeds(**{name: float(value) for name, value in row.items()})
            if 0 < speeds.float32 < float("inf") and 0 < speeds.bf16 < float("inf"):
                found[int(threads)] = speeds
    return found


def instructions(cpuinfo: Path = Path("/proc/cpuinfo")) -> tuple[str, tuple[str, ...]]:
    """Name of the processor, and those of `MATRIX_FLAGS` that it has; no flags where the system does not list them."""
    with suppress(OSError, ValueError):
        rows = dict(line.split(":", 1) for line in cpuinfo.read_text().split("\n\n")[0].splitlines() if ":" in line)
        fields = {name.strip(): value.strip() for name, value in rows.items()}
        if name := fields.get("model name"):
            flags = fields.get("flags", "").split()
            return name, tuple(flag for flag in MATRIX_FLAGS if flag in flags)
    return platform.processor() or platform.machine(), ()


def bf16_units(flags: Sequence[str]) -> Bf16Units:
    """What multiplies bf16 numbers: matrix units (``AMX``), vector instructions (``AVX512``) or ``none``."""
    return "AMX" if "amx_bf16" in flags else "AVX512" if "avx512_bf16" in flags else "none"


def _key() -> str:
    name, flags = instructions()
    try:
        torch = metadata.version("torch")
    except metadata.PackageNotFoundError:
        torch = "unknown"
    variables = [f"{name}={os.environ[name]}" for name in _VARIABLES if os.environ.get(name)]
    return ", ".join([name, *flags, f"torch {torch}", *variables])


def _read(folder: Path) -> dict[str, Any]:
    """The cache; empty where it is missing or damaged."""
    with suppress(OSError, ValueError):
        data = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if isinstance(data, dict):
            return {key: rows for key, rows in data.items() if isinstance(rows, Mapping)}
    return {}


def _keep(threads: int, speeds: Speeds) -> None:
    """Add to the cache, where it can be written."""
    folder = cache_folder()
    known = _read(folder)
    known[_key()] = dict(known.get(_key(), {})) | {str(threads): asdict(speeds)}
    with suppress(StorageError, OSError):
        make_folder(folder)
        write_json(folder / FILE, known)
