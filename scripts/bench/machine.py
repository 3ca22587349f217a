"""Facts about the machine that figures depend on."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from avelzoo.system.speeds import bf16_units, instructions


def machine(threads: int) -> dict[str, Any]:
    """Processor, its instructions, PyTorch, threads, the day, and the load at this moment.

    Args:
        threads: of each measured process.
    """
    import torch

    from avelzoo import __version__

    name, flags = instructions()
    return {
        "processor": re.sub(r"\(R\)|\(TM\)", "", name).strip(),
        "cores": os.cpu_count() or 1,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "bf16": bf16_units(flags),
        "torch": torch.__version__,
        "avelzoo": __version__,
        "threads": threads,
        "date": datetime.now(UTC).date().isoformat(),
        "load": load(),
    }


def load() -> float | None:
    """Processes that ran or waited for a core, mean of the last minute; None if unknown."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


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
