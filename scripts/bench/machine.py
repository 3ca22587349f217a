"""Facts about the machine that figures depend on."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CPUINFO = Path("/proc/cpuinfo")


def machine(threads: int) -> dict[str, Any]:
    """Processor, its instructions, PyTorch, threads, the day, and the load at this moment.

    Args:
        threads: of each measured process.
    """
    import torch

    from avelzoo import __version__

    return {
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "bf16": bf16_units(),
        "torch": torch.__version__,
        "avelzoo": __version__,
        "threads": threads,
        "date": datetime.now(UTC).date().isoformat(),
        "load": load(),
    }


def load() -> float | None:
    """Processes that ran or waited for a core, mean of the last minute; None if unknown."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def processor(cpuinfo: Path = CPUINFO) -> str:
    """Name of the processor."""
    name = _field("model name", cpuinfo) or platform.processor() or platform.machine()
    return re.sub(r"\(R\)|\(TM\)", "", name).strip()


def bf16_units(cpuinfo: Path = CPUINFO) -> str:
    """What multiplies bf16 numbers: ``AMX`` (matrix units), ``AVX512`` (vector instructions) or ``none``."""
    flags = _field("flags", cpuinfo).split()
    if "amx_bf16" in flags:
        return "AMX"
    return "AVX512" if "avx512_bf16" in flags else "none"


def _field(name: str, cpuinfo: Path) -> str:
    """Value of a line of the first core; empty where the system has no such file."""
    text = cpuinfo.read_text("utf-8") if cpuinfo.exists() else ""
    found = re.search(rf"^{name}\s*: (.+)$", text, re.MULTILINE)
    return found[1] if found else ""


def described(facts: Mapping[str, Any]) -> str:
    """The facts as one sentence, without a full stop; those of an unknown machine have only a ``text``."""
    if "text" in facts:
        return str(facts["text"])
    bf16 = {"AMX": "bf16 matrix units (AMX)", "AVX512": "bf16 vector instructions, no matrix units"}
    units = bf16.get(facts["bf16"], "no bf16 instructions")
    load = "" if facts.get("load") is None else f", load {facts['load']:g} before the measurement"
    count = f"{facts['threads']} thread" + ("s" if facts["threads"] > 1 else "")
    return (
        f"{facts['processor']}, {facts['cores']} cores, {facts['instructions']}, {units}; "
        f"PyTorch {facts['torch'].partition('+')[0]}, {count} per process, {facts['date']}{load}"
    )
