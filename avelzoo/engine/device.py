"""Device and number format of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from avelzoo.composition.precision import resolve_precision
from avelzoo.engine.parallel.rank import Rank
from avelzoo.errors import OptionError, UsageError, did_you_mean
from avelzoo.system.memory import memory_mb

_MIXED = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


class Fabric:
    """Computation on one device in one number format.

    Args:
        device: the device.
        precision: as in `ComputeConfig`, without ``auto``.

    Raises:
        OptionError: the device does not support the number format.
    """

    def __init__(self, device: torch.device, precision: str) -> None:
        if device.type == "cpu" and precision == "16-mixed":
            raise OptionError(
                "precision '16-mixed' needs a GPU",
                found="compute.precision=16-mixed on a CPU",
                fix="use bf16-mixed or 32",
            )
        self.device, self.precision = device, precision
        self._scaler = torch.amp.GradScaler(device.type) if precision == "16-mixed" else None

    def setup_module(self, module: nn.Module) -> None:
        """Move a module's tensors to the device; with precision 64, convert them to float64."""
        module.to(self.device, torch.float64) if self.precision == "64" else module.to(self.device)

    def autocast(self) -> AbstractContextManager[Any]:
        """The number format inside the block."""
        if self.precision in _MIXED:
            return torch.autocast(self.device.type, dtype=_MIXED[self.precision])
        return _default_dtype(torch.float64) if self.precision == "64" else nullcontext()

    def backward(self, loss: Tensor) -> None:
        """Accumulate the gradients of a loss, scaled in float16."""
        (loss if self._scaler is None else self._scaler.scale(loss)).backward()  # type: ignore[no-untyped-call]

    def clip_gradients(self, optimizer: Optimizer, max_norm: float) -> None:
        """Limit the global norm of the gradients."""
        if self._scaler is not None:
            self._scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], max_norm)

    def step(self, optimizer: Optimizer) -> None:
        """Step an optimizer; in float16, a step with infinite gradients is skipped."""
        if self._scaler is None:
            optimizer.step()
        else:
            self._scaler.step(optimizer)
            self._scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """The loss scale; empty in other formats than float16."""
        return {} if self._scaler is None else self._scaler.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of ``state_dict``."""
        if self._scaler is not None:
            self._scaler.load_state_dict(dict(state))


def make_fabric(device: str, precision: str, rank: Rank | None = None) -> Fabric:
    """Set up one device and a number format, connected to the other processes, if any.

    Args:
        device: ``cpu``, ``cuda``, ``cuda:1``, ..., or ``auto`` for a GPU if there is one.
        precision: as in `ComputeConfig`.
        rank: rank of this process among several.

    Raises:
        UsageError: the device does not exist on this machine, or does not support the number format.
    """
    found = find_device(device, rank)
    fabric = Fabric(found, resolve_precision(precision, found)[0])
    if rank is not None:
        connect(rank, fabric.device)
    return fabric


def find_device(device: str, rank: Rank | None = None) -> torch.device:
    """The device with this name; of several processes, each gets its own GPU.

    Args:
        device: ``cpu``, ``cuda``, ``cuda:1``, ..., or ``auto`` for a GPU if there is one.
        rank: rank of this process among several.

    Raises:
        UsageError: the device does not exist on this machine.
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
    return torch.device(kind, index) if kind == "cuda" else torch.device(kind)


def connect(rank: Rank, device: torch.device) -> None:
    """Connect this process to the others of its run, by nccl on GPUs and gloo on CPUs; once per process.

    The environment variables ``MASTER_ADDR`` and ``MASTER_PORT`` are the address of rank 0.
    """
    import torch.distributed as dist

    if device.type == "cuda":
        torch.cuda.set_device(device)
    if dist.is_initialized():
        return
    on_gpu = device.type == "cuda"
    dist.init_process_group(
        "nccl" if on_gpu else "gloo", rank=rank.rank, world_size=rank.size, device_id=device if on_gpu else None
    )
    if on_gpu:
        import atexit

        atexit.register(dist.destroy_process_group)  # nccl warns if it is not


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def feature_type(precision: str) -> torch.dtype:
    """The type of features and parameters in this format."""
    return torch.float64 if precision == "64" else torch.float32


def peak_memory_mb(device: torch.device) -> float | None:
    """Peak memory so far in MiB, of the device on a GPU, else of the process; None if unknown."""
    return torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else memory_mb()


def device_name(device: torch.device) -> str:
    """Name of the device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
