"""Devices that PyTorch can use here, or why it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from avelzoo.composition.precision import choose
from avelzoo.doctor.findings import Finding
from avelzoo.doctor.imports import Imports
from avelzoo.system.speeds import Speeds, bf16_units, instructions

SECTION = "devices"
DRIVER = Path("/proc/driver/nvidia/version")


def devices(imports: Imports, driver: Path = DRIVER) -> Iterator[Finding]:
    """Findings about CUDA, MPS and the processor."""
    facts = imports.torch
    if not facts:
        text = "unknown: PyTorch cannot be imported"
        yield Finding(SECTION, "devices", "problem", text, "repair torch, see the section environment")
        return
    yield from _cuda(facts, driver.exists())
    if facts.get("mps_available") is True:
        text = "found by PyTorch, but avelzoo computes on cpu or cuda"
        yield Finding(SECTION, "MPS", "ok", text)
    else:
        built = "not available on this machine" if facts.get("mps_built") is True else "not in this build of PyTorch"
        yield Finding(SECTION, "MPS", "ok", built)
    yield _processor(facts)


def _cuda(facts: Mapping[str, Any], driver: bool) -> Iterator[Finding]:
    found = facts.get("cuda_devices")
    if isinstance(found, list) and found:
        for i, device in enumerate(found):
            advice = "bf16: --precision bf16-mixed" if device["bf16"] else "no bf16: --precision 16-mixed or 32"
            text = f"{device['name']}, {device['gib']} GiB; {advice}"
            yield Finding(SECTION, f"cuda:{i}", "ok", text)
    elif isinstance(found, str) or facts.get("cuda_refusal"):
        said = str(facts.get("cuda_refusal") or found).removeprefix("error: ")
        if driver:
            yield Finding(SECTION, "CUDA", "problem", f"no device: {said}", "repair the driver, or use --device cpu")
        else:
            yield Finding(SECTION, "CUDA", "ok", f"no device; runs use the processor ({said})")
    elif driver and not facts.get("cuda_build"):
        text = "the machine has an NVIDIA driver, but this build of PyTorch is for processors only"
        yield Finding(SECTION, "CUDA", "warning", text, "install a CUDA build of PyTorch (pytorch.org)")
    else:
        why = "" if facts.get("cuda_build") else ": this build of PyTorch is for processors only"
        yield Finding(SECTION, "CUDA", "ok", f"no device{why}; runs use the processor")


def _processor(facts: Mapping[str, Any]) -> Finding:
    """Instructions of the processor, and the number format in which it is fastest, measured."""
    _, flags = instructions()
    units = {"AMX": "AMX", "AVX512": "AVX-512", "none": "none"}[bf16_units(flags)]
    text = f"instructions {facts.get('instructions')}, {units} for bf16"
    measured = facts.get("product_speeds")
    if not isinstance(measured, Mapping):
        return Finding(SECTION, "cpu", "warning", f"{text}; bf16 does not work: {measured}", "use --precision 32")
    speeds = Speeds(**measured)
    giga = ", ".join(f"{name} {speed / 1e9:.0f}" for name, speed in measured.items())
    best, why = choose(speeds)
    return Finding(SECTION, "cpu", "ok", f"{text}; GFLOP/s of products: {giga}; --precision auto is {best} ({why})")
