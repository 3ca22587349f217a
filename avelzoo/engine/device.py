"""Where a run computes and in which number format."""

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
    """Lightning's processes and their engines, gloo on CPUs and nccl on GPUs; models stay as they are."""

    def setup_module(self, module: nn.Module) -> nn.Module:  # type: ignore[override]
        """The module: its gradients are all-reduced by the run itself."""
        return module


def make_fabric(device: str, precision: str, rank: Rank | None = None) -> Fabric:
    """One device and a number format; connected with the other processes, where there are any.

    Args:
        device: ``cpu``, ``cuda``, ``cuda:1``, ..., or ``auto`` for a GPU where there is one.
        precision: as in `ComputeConfig`.
        rank: of this process among several.

    Raises:
        UsageError: there is no such device here, or it cannot compute in this format.
    """
    device = str(device)  # a torch.device is as good
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
            f"there is no device '{kind}:{index}' here",
            found=f"{count} CUDA devices",
            fix="use fewer --devices, or --device cpu" if rank else "use --device cpu, or auto to take what there is",
        )
    if kind == "cpu" and precision == "16-mixed":
        raise OptionError(
            "precision '16-mixed' needs a GPU", found="compute.precision=16-mixed on a CPU", fix="use bf16-mixed or 32"
        )
    for name in ("lightning_fabric", "lightning_fabric.utilities.rank_zero", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)  # it announces the precision, which the record holds
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
    """Most memory held so far, in MiB: the device's on a GPU, else the process's; None where that is unknown."""
    return torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else memory_mb()


def device_name(device: torch.device) -> str:
    """The device in words."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
