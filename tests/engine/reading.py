"""What a run folder says, times left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TIMES = ("seconds", "train_seconds", "seconds_per_epoch", "peak_memory_mb", "run_dir")


def lines(folder: Path) -> list[dict[str, Any]]:
    """What ``metrics.jsonl`` says."""
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in TIMES} for line in found]


def numbers(folder: Path) -> dict[str, Any]:
    """Everything that must be the same bit for bit in two runs of one composition."""
    result = json.loads((folder / "result.json").read_text())
    return {
        "files": sorted(path.name for path in folder.rglob("*")),
        "result": {key: value for key, value in result.items() if key not in TIMES},
        "metrics": lines(folder),
        "best": (folder / "best.safetensors").read_bytes().hex(),
        "predictions": (folder / "predictions.h5").read_bytes().hex(),
    }


def content(folder: Path) -> dict[str, bytes]:
    """Every file, byte for byte."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
