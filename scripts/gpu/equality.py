"""Every registered component, and every recipe, computes on the device what it computes on the CPU."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor

from avelzoo.components import ComponentConfig, Supervision
from avelzoo.composition.checking import check as check_recipe
from avelzoo.composition.model import Model
from avelzoo.errors import AvelzooError
from avelzoo.plugin.default import default_host
from avelzoo.published.probes import without_dropout
from avelzoo.testing.harness import Harness, harnesses_for
from gpu.arithmetic import multiply_in
from gpu.rows import Job

KINDS = ("encoder", "memory", "head", "objective")
TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-3}
"""Largest difference, relative to the largest number of the same tensor."""
DTYPES = {torch.float64: "float64", torch.float32: "float32"}
TINY = ("mean-pool", "jsd-bank", "event-aware", "full", "ead-b")
"""What a trial on the CPU tries."""


def check(job: Job) -> None:
    """One row for each component and recipe, supervision and number format."""
    multiply_in("float32")
    for name, harness in subjects(names=TINY if job.tiny else ()):
        if job.left < 1:
            job.add("others", note="not checked: the time is up")
            return
        for dtype, label in DTYPES.items():
            title = f"{name}, {'weak' if harness.weak else 'full'}, {label}"
            try:
                _compare(job, title, harness, dtype)
            except Exception as error:  # noqa: BLE001, one component's fault is one row
                said = next(iter(str(error).splitlines()), "")
                job.add(title, ok=False, note=f"{type(error).__name__}: {said}"[:300])


def subjects(names: tuple[str, ...] = ()) -> Iterator[tuple[str, Harness]]:
    """Components among partners that fit, then recipes; all, or those of given names."""
    registry = default_host().registry
    for kind in KINDS:
        for entry in registry.entries(kind):
            if not names or entry.name in names:
                config = cast("ComponentConfig", entry.target())
                yield from ((f"{kind} {entry.name}", harness) for harness in harnesses_for(config))
    for entry in registry.entries("recipe"):
        for supervision in cast("tuple[Supervision, ...]", ("full", "weak")):
            if names and entry.name not in names:
                continue
            try:
                recipe = entry.target(supervision)
                check_recipe(recipe, registry)
            except AvelzooError:  # it is not for this supervision
                continue
            yield f"recipe {entry.name}", Harness(recipe)


def _compare(job: Job, title: str, harness: Harness, dtype: torch.dtype) -> None:
    model = harness.model().to(dtype)
    model.begin_epoch(harness.recipe.train.epochs - 1, harness.recipe.train.epochs)
    without_dropout(model)

    def on(device: str, seed: int = 0) -> dict[str, Tensor]:
        return _step(copy.deepcopy(model), harness, dtype, device, seed)

    there, here = on(job.device), on("cpu")
    faults = _differences(there, here, TOLERANCE[dtype])
    if faults and _differences(on("cpu", seed=1), here, TOLERANCE[dtype]):
        finite = [name for name, value in there.items() if value.is_floating_point() and not value.isfinite().all()]
        said = f"not finite: {', '.join(finite)}" if finite else "random numbers by design; only finiteness checked"
        job.add(title, ok=not finite, note=said[:300])
        return
    job.add(title, ok=not faults, note="; ".join(faults[:4])[:300], data={"tolerance": TOLERANCE[dtype]})


def _step(model: Model, harness: Harness, dtype: torch.dtype, device: str, seed: int) -> dict[str, Tensor]:
    """Loss, terms, gradients, memory and answers of one step and one evaluation."""
    model.to(device).train()
    batch = harness.batch(6).to(device, dtype=dtype)
    targets = harness.targets(6).to(device, dtype=dtype)
    torch.manual_seed(seed)
    step = model(batch, targets)
    if step.loss.requires_grad:
        step.loss.backward()
    model.eval()
    with torch.no_grad():
        predictions = model.head.decode(model.predict(batch, model.view()))
    found = {"loss": step.loss} | {f"term {name}": value for name, value in step.terms.items()}
    found |= {f"gradient of {name}": p.grad for name, p in model.named_parameters() if p.grad is not None}
    found |= {f"state {name}": value for name, value in model.named_buffers()}
    found |= {f"answer {name}": value for name, value in vars(predictions).items() if isinstance(value, Tensor)}
    return {name: value.detach().cpu() for name, value in found.items()}


def _differences(found: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float) -> list[str]:
    """Names of what differs, and by how much."""
    faults = [f"{name} is there on one device alone" for name in sorted(found.keys() ^ expected.keys())]
    for name in found.keys() & expected.keys():
        have, want = found[name].double(), expected[name].double()
        if have.shape != want.shape:
            faults.append(f"{name} is {tuple(have.shape)}, not {tuple(want.shape)}")
        elif not torch.equal(have.isfinite(), want.isfinite()):
            faults.append(f"{name} is finite in other places")
        elif want.numel():
            have, want = have.nan_to_num(), want.nan_to_num()  # what is not finite on both devices counts as equal
            off = float((have - want).abs().max() / want.abs().max().clamp_min(1e-12))
            if off > tolerance:
                faults.append(f"{name} off by {off:.1e}")
    return sorted(faults)
