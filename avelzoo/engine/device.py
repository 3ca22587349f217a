"""Device and number format of a run."""

from __future__ import annotations

import logging
from typing import Literal, cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import nn

from avelzoo.engine.parallel.rank import Rank
from avelzoo.errors import OptionError, UsageError, did_you_mean
from avelzoo.system.memory import memory_mb

_PRECISIONS = {"32": "32-true", "64": "64-true"}


class _Processes(DDPStrategy):
    """Lightning's multi-process strategy, gloo on CPUs and nccl on GPUs, without wrapping models."""

    def setup_module(self, module: nn.Module) -> nn.Module:  # type: ignore[override]
        """The module, unwrapped: `Processes` all-reduces its gradients."""
        return module


def make_fabric(device: str, precision: str, rank: Rank | None = None) -> Fabric:
    """Set up one device and a number format, connected to the other processes, if any.

    Args:
        device: ``cpu``, ``cuda``, ``cuda:1``, ..., or ``auto`` for a GPU if there is one.
        precision: as in `ComputeConfig`.
        rank: rank of this process among several.

    Raises:
        UsageError: the device does not exist on this machine, or does not support the number format.
    """
    device = str(device)  # a torch.device is accepted too
    kind, colon, number = device.partition(":")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "auto" and not colon:
        kind = "cuda" if count else "cpu"
    if kind not in ("cpu", "cuda") or (colon and (kind != "cuda" or not number.isdecimal())):
        known = ("auto", "cpu", "cuda")
        raise UsageError(
            f"unknown device '{device}'" + did_you_mean(device, known), expected="auto, cpu, cuda, or cuda:N"
        )
    if rank is not None and colon:
        raise UsageError(f"several processes cannot share the device '{device}'", fix="use --device cuda")
    index = int(number) if colon else rank.local_rank if rank else 0
    if kind == "cuda" and index >= count:
        raise UsageError(
            f"this machine has no device '{kind}:{index}'",
            found=f"{count} CUDA devices",
            fix="use fewer --devices, or --device cpu" if rank else "use --device cpu or --device auto",
        )
    if kind == "cpu" and precision == "16-mixed":
        raise OptionError(
            "precision '16-mixed' needs a GPU", found="compute.precision=16-mixed on a CPU", fix="use bf16-mixed or 32"
        )
    for name in ("lightning_fabric", "lightning_fabric.utilities.rank_zero", "lightning.fabric"):
        logging.getLogger(name).setLevel(
            logging.WARNING
        )  # lightning prints the precision, which the run record contains
    name = cast("Literal['32-true']", _PRECISIONS.get(precision, precision))
    if rank is None:
        return Fabric(accelerator=kind, devices=[index] if kind == "cuda" else 1, precision=name)
    fabric = Fabric(
        accelerator=kind,
        devices=rank.local_size,
        num_nodes=rank.nodes,
        strategy=_Processes(),
        precision=name,
        plugins=[TorchElasticEnvironment()],
    )
    fabric.launch()
    return fabric


def feature_type(precision: str) -> torch.dtype:
    """The type of features and parameters in this format."""
    return torch.float64 if precision == "64" else torch.float32


def peak_memory_mb(device: torch.device) -> float | None:
    """Peak memory so far in MiB, of the device on a GPU, else of the process; None if unknown."""
    return torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else memory_mb()


def device_name(device: torch.device) -> str:
    """Name of the device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
