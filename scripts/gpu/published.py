"""The public codes' recorded outputs, computed on the device; skipped where the recordings are not at hand."""

from __future__ import annotations

import torch

from gpu.arithmetic import multiply_in
from gpu.rows import Job
from tests.parity import fixtures


def check(job: Job) -> None:
    """One row for each recorded fixture and mode: its largest difference, as a multiple of the stated tolerance."""
    multiply_in("float32")
    names = sorted(file.stem for file in fixtures.FOLDER.glob("*.json"))
    if not names:
        job.add("all", note=f"skipped: no recordings in {fixtures.FOLDER}")
    for name in names[:1] if job.tiny else names:
        for mode in fixtures.modes(name):
            if not job.begin(f"{name}, {mode}", 2):
                return
            _compare(job, name, mode)


def _compare(job: Job, name: str, mode: str) -> None:
    try:
        with torch.device(job.device):
            got = fixtures.outputs(name, mode)
    except Exception as error:  # noqa: BLE001, one fixture's fault is one row
        said = next(iter(str(error).splitlines()), "")
        job.add(f"{name}, {mode}", ok=False, note=f"{type(error).__name__}: {said}"[:300])
        return
    arrays = {key: torch.as_tensor(value).cpu().numpy() for key, value in got.items()}
    faults = fixtures.mismatches(name, mode, arrays)
    compared = fixtures.excesses(name, mode, arrays)
    said = "; ".join(f"{key}: {fault}" for key, fault in faults.items())
    if not compared:
        said = "computed; the recorded values are not at hand"
    job.add(f"{name}, {mode}", ok=not faults, note=said[:300], data={"times_tolerance": compared})
