"""Check and measure avelzoo on a GPU in at most eight minutes: ``python scripts/gpu_check.py``.

It needs a checkout and the packages that ``--wheels`` prints, no installation and no network. It prints a table and
writes every number to a JSON file. The exit code is 1 if a check failed, 2 if it could not begin. ``--tiny`` tries the
script itself on a CPU.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import tempfile
import time
import warnings
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BASELINES = ROOT / "plugins" / "avelzoo-baselines" / "src"
WHEELS = ("torch", "numpy", "h5py", "einops", "pluggy", "safetensors")
MINUTES = 8.0
CLOSING = 5.0
"""Seconds for the report."""


def main() -> int:
    """Run all parts, or the one that ``--part`` names."""
    args = _arguments().parse_args()
    if args.wheels:
        print(" ".join(WHEELS))
        return 0
    began = time.monotonic()
    if fault := _missing():
        print(f"error: {fault}", file=sys.stderr)
        return 2
    sys.path[:0] = [str(ROOT), str(BASELINES), str(ROOT / "scripts")]
    import torch
    from gpu import parts, rows

    device = "cpu" if args.tiny else args.device
    if device == "cuda" and not torch.cuda.is_available():
        print("error: no CUDA device here; --tiny tries the script on the CPU", file=sys.stderr)
        return 2
    if args.part:
        _add_baselines()
        parts.run_part(rows.Job(args.part, device, args.tiny, Path(args.folder), args.seconds))
        return 0
    with tempfile.TemporaryDirectory(prefix="avelzoo-gpu-") as folder:
        seconds = 60 * args.minutes - CLOSING - (time.monotonic() - began)
        command = [sys.executable, str(Path(__file__).resolve())]
        found = parts.run_all(command, device=device, tiny=args.tiny, folder=Path(folder), seconds=seconds)
    about = _about(device) | {"tiny": args.tiny, "seconds": time.monotonic() - began}
    report = {"environment": about, "rows": [asdict(row) for row in found]}
    Path(args.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for line in (
        *(f"{key}: {value}" for key, value in about.items()),
        "",
        *rows.table(found),
        "",
        f"JSON: {args.json}",
    ):
        print(line)
    return int(any(row.ok is False for row in found))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument(
        "--tiny", action="store_true", help="small sizes on the CPU: tries the script, measures nothing"
    )
    parser.add_argument("--minutes", type=float, default=MINUTES, help="total time limit, default %(default)s")
    parser.add_argument("--json", default="gpu_check.json", metavar="FILE", help="report, default %(default)s")
    parser.add_argument("--wheels", action="store_true", help="print the packages that the check needs")
    for hidden, kind in (("--part", str), ("--folder", str), ("--seconds", float)):
        parser.add_argument(hidden, type=kind, help=argparse.SUPPRESS)
    parser.add_argument("--device", default="cuda", help=argparse.SUPPRESS)
    return parser


def _missing() -> str:
    """What stands in the way; empty where nothing does."""
    if sys.version_info < (3, 11):  # noqa: UP036, started by hand with any Python
        return f"Python {platform.python_version()} is too old, expected 3.11 or newer"
    missing = [name for name in WHEELS if find_spec(name.replace("-", "_")) is None]
    if missing:
        return f"packages missing: {', '.join(missing)}; install them with pip install {' '.join(missing)}"
    import torch

    number = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    return "" if number >= (2, 6) else f"torch {torch.__version__} is too old, expected 2.6 or newer"


def _add_baselines() -> None:
    """The published systems, where no installed package brings them."""
    from avelzoo.plugin.default import default_host

    warnings.simplefilter("default")
    if not any(record.name == "baselines" and record.status == "ok" for record in default_host().records):
        default_host().add(importlib.import_module("avelzoo_baselines.plugin"), name="baselines", source="checkout")


def _about(device: str) -> dict[str, Any]:
    """Where the numbers were taken."""
    import torch

    from avelzoo.version import __version__

    found: dict[str, Any] = {"avelzoo": __version__, "python": platform.python_version(), "torch": torch.__version__}
    if device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        found |= {
            "device": properties.name,
            "device_memory_mb": properties.total_memory // 2**20,
            "compute_capability": f"{properties.major}.{properties.minor}",
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        }
    else:
        found |= {"device": "cpu"}
    return found | {"system": platform.platform(), "cores": os.cpu_count()}


if __name__ == "__main__":
    sys.exit(main())
