"""Imports libraries in a process of its own, because a broken one may end the process. Standard library only.

Usage: ``python -P probe.py torch timm``. One JSON object per line on stdout: each library when its import begins, and
again with its version or its error; then facts about PyTorch, if it can be imported.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any


def main(names: list[str]) -> None:
    """Import the libraries; describe PyTorch."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no part of the answer

    def tell(**facts: Any) -> None:
        out.write(json.dumps(facts) + "\n")
        out.flush()

    for name in names:
        tell(begin=name)
        try:
            module = import_module(name)
            tell(library=name, version=str(getattr(module, "__version__", "")))
        except BaseException as error:  # noqa: BLE001 - a broken library may raise anything
            tell(library=name, error=_said(error))
    if "torch" in sys.modules:
        tell(begin="the devices of torch")
        tell(torch=_torch())
    tell(done=True)


def _torch() -> dict[str, Any]:
    """Facts about PyTorch; a fact that cannot be found is a text that begins with ``error:``."""
    torch: Any = sys.modules["torch"]
    facts: dict[str, Callable[[], Any]] = {
        "cuda_build": lambda: torch.version.cuda,
        "hip_build": lambda: torch.version.hip,
        "cuda_available": lambda: bool(torch.cuda.is_available()),
        "cuda_devices": lambda: _cuda_devices(torch),
        "cuda_refusal": lambda: _cuda_refusal(torch),
        "mps_built": lambda: bool(torch.backends.mps.is_built()),
        "mps_available": lambda: bool(torch.backends.mps.is_available()),
        "threads": lambda: int(torch.get_num_threads()),
        "instructions": lambda: str(torch.backends.cpu.get_cpu_capability()),
        "product_speeds": lambda: _product_speeds(torch),
    }
    found = {}
    for name, fact in facts.items():
        try:
            found[name] = fact()
        except BaseException as error:  # noqa: BLE001 - as above
            found[name] = f"error: {_said(error)}"
    return found


def _cuda_devices(torch: Any) -> list[dict[str, Any]]:
    if not torch.cuda.is_available():
        return []
    devices = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    bf16 = bool(torch.cuda.is_bf16_supported())
    return [{"name": d.name, "gib": round(d.total_memory / 2**30, 1), "bf16": bf16} for d in devices]


def _cuda_refusal(torch: Any) -> str:
    """Why a build with CUDA finds no device, in the driver's words."""
    if torch.cuda.is_available() or not torch.version.cuda:
        return ""
    try:
        torch.cuda.init()
    except Exception as error:  # noqa: BLE001 - its text is the answer
        return _said(error)
    return ""


def _product_speeds(torch: Any) -> dict[str, float]:
    """FLOP/s of products on the processor, by the module of avelzoo that runs use."""
    spec: Any = spec_from_file_location("products", Path(__file__).parents[1] / "system" / "products.py")
    products = module_from_spec(spec)
    spec.loader.exec_module(products)
    types = {"float32": torch.float32, "bf16": torch.bfloat16}
    speeds = products.product_speeds(torch.device("cpu"), list(types.values()))
    return {name: float(speeds[dtype]) for name, dtype in types.items()}


def _said(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - as above
        text = ""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {line}"[:300] if line else type(error).__name__


if __name__ == "__main__":
    main(sys.argv[1:])
