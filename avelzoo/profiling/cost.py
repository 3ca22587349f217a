"""Measured cost of a composition."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from avelzoo.composition.building import build
from avelzoo.composition.model import Model
from avelzoo.composition.recipe import Recipe
from avelzoo.config import Bounds, checked
from avelzoo.engine.compiling import compile_model, plain_model
from avelzoo.engine.device import device_name, feature_type, make_fabric, peak_memory_mb
from avelzoo.errors import UsageError
from avelzoo.profiling.attention import AttentionKernels
from avelzoo.profiling.clock import Clock
from avelzoo.profiling.flops import count_flops
from avelzoo.records import Batch, FeatureSpec, Targets
from avelzoo.system.isolation import isolated, seed_all
from avelzoo.system.products import SQUARE, product_speeds

FACTORS = {"32": torch.float32, "64": torch.float64, "bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
"""Type of the factors of matrix products in each precision."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Cost of one composition on features of given sizes.

    Attributes:
        parameters: number of learnable parameters by part.
        train_flops: floating-point operations of a training step: products and sums of matrix products, convolutions,
            attention and LSTMs, forward and backward.
        eval_flops: the same for evaluating one batch, without encoding the memory.
        view_flops: encoding the memory, once per evaluation.
        train_seconds: median time of a training step.
        eval_seconds: median time of evaluating a batch.
        peak_memory_mb: peak memory of the process in training, in MiB (of the device, on a GPU).
        batch_size: b.
        device: device of the measurement.
        precision: number format of the measurement.
        train_parts: seconds of the median step by part: encoder, memory, the memory's encoding, head, objective,
            backward, optimizer.
        products_per_second: FLOP/s of large matrix products on this device, in this format.
        compiled: whether the encoder was compiled; false if compiling failed.
        attention: PyTorch's kernels for attention (`AttentionKernels`); on a CPU of evaluation alone.
    """

    parameters: dict[str, int]
    train_flops: int
    eval_flops: int
    view_flops: int
    train_seconds: float
    eval_seconds: float
    peak_memory_mb: float
    batch_size: int
    device: str
    precision: str
    train_parts: dict[str, float]
    products_per_second: float
    compiled: bool = False
    attention: tuple[str, ...] = ()

    @property
    def floor_share(self) -> float:
        """Time of the arithmetic alone as a share of the step's time; 1 is the lower bound of the time."""
        return self.train_flops / self.products_per_second / self.train_seconds

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        totals = {"parameters_total": sum(self.parameters.values()), "floor_share": self.floor_share}
        return dict(vars(self)) | totals


@isolated(exact=False)
def profile(
    recipe: Recipe, spec: FeatureSpec, *, batch_size: int | None = None, repeats: int = 3, device: str = "cpu"
) -> Cost:
    """Measure a composition in its precision on random, AVE-like features, with a filled memory.

    Args:
        recipe: the composition.
        spec: the features' sizes.
        batch_size: b; the recipe's by default.
        repeats: timed steps, after one that is not counted.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        UsageError: the device does not exist, or the composition has no parameters.
    """
    some, b = Bounds(min=1), recipe.train.batch_size
    b = b if batch_size is None else checked("profile.batch_size", int, batch_size, bounds=some, default=b)
    repeats = checked("profile.repeats", int, repeats, bounds=some, default=3)
    fabric = make_fabric(device, recipe.compute.precision)
    precision = fabric.precision
    seed_all(0, fabric.device)
    model = build(recipe, spec)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UsageError("the composition has no parameters, so it has no training step to measure")
    fabric.setup_module(model)
    optimizer = recipe.optimizer.build(model.parameters())

    def made(seed: int) -> tuple[Batch, Targets]:
        dtype = feature_type(precision)
        batch, targets = _random(recipe, spec, b, seed)
        return batch.to(fabric.device, dtype=dtype), targets.to(fabric.device, dtype=dtype)

    batch, targets = made(0)
    compiled = False
    if recipe.compute.compile:
        with fabric.autocast():
            compiled = compile_model(model, batch, mode=recipe.compute.compile_mode) is None

    def step(clock: Clock) -> None:
        optimizer.zero_grad()
        with fabric.autocast():
            loss = model(batch, targets).loss
        with clock.part("backward"):
            fabric.backward(loss)
        with clock.part("optimizer"):
            fabric.step(optimizer)

    model.train()
    with torch.no_grad(), fabric.autocast():
        _fill(model, recipe, spec, b, made)
    train_parts = _median_step(model, step, repeats, fabric.device)
    peak = peak_memory_mb(fabric.device)
    model.eval()
    with torch.no_grad(), fabric.autocast():
        view = model.view()
        eval_seconds = _median(lambda: model.predict(batch, view), repeats, fabric.device)
    plain_model(model)  # compiled kernels hide their arithmetic
    model.train()
    kernels = AttentionKernels()
    with nullcontext() if fabric.device.type == "cpu" else kernels:  # training on a CPU has kernels of its own
        train_flops = count_flops(lambda: step(Clock(fabric.device)))
    model.eval()
    with torch.no_grad(), fabric.autocast():
        view_flops = count_flops(model.view)
        with kernels:
            eval_flops = count_flops(lambda: model.predict(batch, view))
    parts = {"encoder": model.encoder, "memory": model.memory, "head": model.head, "objective": model.objective}
    return Cost(
        parameters={name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()},
        train_flops=train_flops,
        eval_flops=eval_flops,
        view_flops=view_flops,
        train_seconds=sum(train_parts.values()),
        eval_seconds=eval_seconds,
        peak_memory_mb=peak or 0.0,
        batch_size=b,
        device=device_name(fabric.device),
        precision=precision,
        train_parts=train_parts,
        products_per_second=product_speeds(fabric.device, [FACTORS[precision]], shapes=SQUARE)[FACTORS[precision]],
        compiled=compiled,
        attention=kernels.names,
    )


def _median_step(model: Model, step: Callable[[Clock], None], repeats: int, device: torch.device) -> dict[str, float]:
    """Seconds by part of the step with the median time."""
    steps = []
    for _ in range(repeats + 1):
        clock = Clock(device)
        with clock.watching(model), clock.part("other"):
            step(clock)
        steps.append(clock.seconds)
    counted = sorted(steps[1:], key=lambda step: sum(step.values()))
    return counted[len(counted) // 2]


def _random(recipe: Recipe, spec: FeatureSpec, b: int, seed: int) -> tuple[Batch, Targets]:
    generator = torch.Generator().manual_seed(seed)
    t, n = spec.segments, spec.n

    def features(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).relu_()

    event = (torch.arange(b) + seed * b) % n
    on = torch.rand(b, t, generator=generator) < 0.8
    segments = event.unsqueeze(1).expand(b, t).masked_fill(~on, n)
    batch = Batch(
        audio=features(b, t, spec.audio_dim),
        visual=features(b, t, *spec.grid, spec.visual_dim),
        rows=torch.arange(b) + seed * b,
    )
    targets = Targets(
        event=event,
        presence=torch.ones(b),
        segments=None if recipe.supervision == "weak" else segments,
        background=n,
    )
    return batch, targets


def _fill(
    model: Model, recipe: Recipe, spec: FeatureSpec, b: int, made: Callable[[int], tuple[Batch, Targets]]
) -> None:
    """Fill all slots of the memory, so that its full cost is measured."""
    slots = getattr(recipe.memory, "size", 0) * spec.n
    for seed in range(1, 2 + slots // (b * spec.segments)):
        batch, targets = made(seed)
        model.memory.observe(model.encoder(batch.audio, batch.visual), batch, targets)


def _median(action: Callable[[], Any], repeats: int, device: torch.device) -> float:
    action()
    times = []
    for _ in range(repeats):
        clock = Clock(device)
        with clock.part("all"):
            action()
        times.append(clock.seconds["all"])
    return statistics.median(times)
