"""Kernels of a training step: attention, the encoder's products, the optimizer, and copies to the device."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from avelzoo.nn.cpu import plain_layers
from avelzoo.profiling.attention import AttentionKernels
from avelzoo.system.products import SQUARE, product_speeds
from gpu.model import Trained
from gpu.rows import Job, verdict

PEAKS = {"H200": 989e12, "H100 PCIe": 756e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12}
"""Dense bf16 FLOP/s by the makers' data sheets; the first name that the device's contains counts."""
GOAL = 0.6
"""Share of the peak in the encoder's products, on an H100."""
PRODUCTS = ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm")
BACKENDS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "math": SDPBackend.MATH,
}


def check(job: Job) -> None:
    """The encoder's products first, as they have a goal."""
    trained = Trained(job.device, tiny=job.tiny)
    with plain_layers():
        trained.fill()
        _encoder(job, trained)
        _attention(job, trained)
    _optimizer(job, trained)
    _copies(job, trained)


def _encoder(job: Job, trained: Trained) -> None:
    """Arithmetic of encoding and its gradient, over the time of the products alone and of all kernels."""

    def action() -> None:
        trained.model.zero_grad()
        with torch.autocast(trained.device, torch.bfloat16):
            fused = trained.model.encoder(trained.batch.audio, trained.batch.visual).fused
        fused.float().sum().backward()

    with FlopCounterMode(display=False) as counter:
        action()
    flops = counter.get_total_flops()
    whole = trained.seconds(action)
    products = _product_seconds(trained, action)
    peak, source = _peak(trained.device)
    share = flops / products / peak if products else 0.0
    job.add(
        "encoder's products, share of the bf16 peak",
        value=100 * share,
        unit="%",
        note=f"{verdict(share >= GOAL, job)}: goal {100 * GOAL:.0f} % on an H100; {flops / 1e12:.3g} TFLOP, peak"
        f" {peak / 1e12:.3g} TFLOP/s {source}; of the whole encoder {100 * flops / whole / peak:.0f} %",
        data={"flops": flops, "encoder_seconds": whole, "product_seconds": products, "peak": peak},
    )


def _product_seconds(trained: Trained, action: Callable[[], object]) -> float:
    """Time of the kernels of matrix products in one action."""
    on_gpu = trained.device == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with profile(activities=activities) as found:
        action()
        trained.wait()
    name = "self_device_time_total" if on_gpu else "self_cpu_time_total"
    return sum(float(getattr(row, name)) for row in found.key_averages() if row.key in PRODUCTS) / 1e6


def _peak(device: str) -> tuple[float, str]:
    if device == "cuda":
        name = torch.cuda.get_device_name(0)
        for known, peak in PEAKS.items():
            if all(word in name for word in known.split()):
                return peak, f"by the data sheet of {known}"
    found = product_speeds(torch.device(device), [torch.bfloat16], shapes=SQUARE)
    return found[torch.bfloat16], "as measured with large matrices"


def _attention(job: Job, trained: Trained) -> None:
    """What PyTorch chooses, and the time of a step when one kernel alone is allowed."""
    with AttentionKernels() as chosen:
        trained.step(optimize=False)
    job.add("attention, chosen kernels", note=", ".join(chosen.names) or "none")
    for name, backend in BACKENDS.items():
        if not job.begin(f"attention by {name}", 2):
            return
        try:
            with sdpa_kernel(backend):
                seconds = trained.seconds(lambda: trained.step(optimize=False))
        except RuntimeError as error:
            job.add(f"attention by {name}", note=f"not possible here: {str(error).splitlines()[0]}"[:200])
            continue
        job.add(f"attention by {name}", value=1000 * seconds, unit="ms a step", note="to the gradients")


def _optimizer(job: Job, trained: Trained) -> None:
    """The optimizer as built, and Adam's other forms."""
    trained.step(optimize=True)
    parameters = list(trained.model.parameters())
    forms: dict[str, dict[str, Any]] = {"one kernel": {"fused": True}, "for each list": {"foreach": True}}
    built = bool(trained.optimizer.defaults["fused"])
    job.add("optimizer is one kernel", ok=built if job.device == "cuda" else None, note=str(built))
    for name, form in forms.items():
        optimizer = torch.optim.Adam(parameters, lr=1e-5, **form)
        seconds = trained.seconds(optimizer.step)
        job.add(f"Adam, {name}", value=1000 * seconds, unit="ms a step")


def _copies(job: Job, trained: Trained) -> None:
    """A batch's way to the device, as float32 and as bfloat16."""
    batch, _ = trained.made(0)
    for dtype in (torch.float32, torch.bfloat16):
        sent = batch.to(dtype=dtype)
        sent = sent.pin_memory() if job.device == "cuda" else sent
        send = partial(sent.to, trained.device, dtype=torch.float32, non_blocking=True)
        seconds = trained.seconds(send)
        job.add(f"batch to the device as {str(dtype).removeprefix('torch.')}", value=1000 * seconds, unit="ms")
