"""Device and number format of extractors' networks."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from avelzoo.errors import OptionError, UsageError, did_you_mean

PRECISIONS = ("32", "bf16")


def require_device(device: str) -> torch.device:
    """The device.

    Raises:
        UsageError: the name is none of cpu, cuda, cuda:N, or this machine has no such device.
    """
    kind, colon, number = device.partition(":")
    if kind not in ("cpu", "cuda") or (colon and (kind != "cuda" or not number.isdecimal())):
        raise UsageError(
            f"unknown device '{device}'" + did_you_mean(device, ("cpu", "cuda")), expected="cpu, cuda, or cuda:N"
        )
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "cuda" and int(number or 0) >= count:
        raise UsageError(
            f"this machine has no device '{device}'", found=f"{count} CUDA devices", fix="use --device cpu"
        )
    return torch.device(device)


def require_precision(precision: str) -> str:
    """The number format.

    Raises:
        OptionError: the format is neither 32 nor bf16.
    """
    if precision not in PRECISIONS:
        raise OptionError(f"unknown precision '{precision}' of an extractor", expected="32 or bf16")
    return precision


def number_format(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Context in which networks compute: bf16 by autocast, or float32, on GPUs without TF32 in convolutions."""
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    if device.type == "cpu":
        return nullcontext()
    cudnn = torch.backends.cudnn  # its TF32, on by default, keeps 10 bits: features would differ from a CPU's
    kept = {"enabled": cudnn.enabled, "benchmark": cudnn.benchmark, "deterministic": cudnn.deterministic}
    context: AbstractContextManager[object] = cudnn.flags(**kept, allow_tf32=False)
    return context
