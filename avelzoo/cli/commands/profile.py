"""`avelzoo profile`: cost of a composition."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avelzoo.cli import render
from avelzoo.composition.overrides import Override
from avelzoo.composition.resolving import resolve
from avelzoo.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from avelzoo.composition.recipe import Recipe
    from avelzoo.records import FeatureSpec

SIZES = ("ave", "ave-cnn14", "dataset")


def profile(
    recipe: Annotated[str, typer.Argument(help="Name of the recipe.")],
    supervision: Annotated[str, typer.Option(metavar="full|weak", help="Labels per segment or per video.")] = "full",
    *,
    slots: Annotated[Mapping[str, str | None], "Name of another {kind}."],
    data: Annotated[Path | None, typer.Option(help="Data folder in AVE's public layout.")] = None,
    values: Annotated[list[str] | None, typer.Option("--set", metavar="slot.option=value", help="Repeatable.")] = None,
    sizes: Annotated[
        str, typer.Option(metavar="|".join(SIZES), help="Feature sizes: AVE's, or the data set's.")
    ] = "ave",
    batch_size: Annotated[int | None, typer.Option(help=r"Videos per step. \[default: the recipe's]", min=1)] = None,
    repeats: Annotated[int, typer.Option(help="Number of timed steps.", min=1)] = 3,
    precision: Annotated[
        str | None, typer.Option(metavar="32|64|bf16-mixed|16-mixed|auto", help="compute.precision")
    ] = None,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Device for the computation.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure parameters, FLOPs, step time and peak memory of a composition on random features."""
    from avelzoo.composition.checking import check
    from avelzoo.plugin.default import default_host
    from avelzoo.system.allocator import keep_freed_memory

    registry = default_host().registry
    chosen = [] if precision is None else [Override("compute.precision", precision, "--precision")]
    overrides = [*chosen, *map(Override.parse, values or ())]
    composition = resolve(registry, recipe, supervision=supervision, choices=slots, overrides=overrides, data=data)
    check(composition.recipe, registry, composition.sources)
    spec = _spec(composition.recipe, sizes)
    from avelzoo.profiling import profile as measure

    keep_freed_memory(device)
    cost = measure(composition.recipe, spec, batch_size=batch_size, repeats=repeats, device=device).to_dict()
    if json:
        render.emit_json({"recipe": composition.owner.qualified, "spec": spec.to_dict()} | cost)
        return
    render.console().print(render.fields(_rows(cost)))


def _rows(cost: dict[str, Any]) -> dict[str, str]:
    parts = ", ".join(f"{name} {count:,}" for name, count in cost["parameters"].items() if count)
    b = cost["batch_size"]
    return {
        "parameters": f"{cost['parameters_total']:,} ({parts})",
        "training step": f"{cost['train_seconds']:.3f} s for {b} videos, {cost['train_flops'] / 1e9:.1f} GFLOP",
        "time by part": ", ".join(f"{name} {_share(s, cost)}" for name, s in _longest(cost["train_parts"])),
        "lower bound": f"matrix products alone take {_share(cost['floor_share'] * cost['train_seconds'], cost)} of this"
        f" time, at the measured {cost['products_per_second'] / 1e9:.0f} GFLOP/s",
        "evaluation": f"{cost['eval_seconds']:.3f} s for {b} videos, {cost['eval_flops'] / 1e9:.1f} GFLOP",
        "memory encoding": f"{cost['view_flops'] / 1e9:.1f} GFLOP, once per evaluation",
        "attention": _attention(cost),
        "peak memory": f"{cost['peak_memory_mb']:.0f} MiB",
        "device": f"{cost['device']}, precision {cost['precision']}",
    }


def _attention(cost: dict[str, Any]) -> str:
    if not cost["attention"]:
        return "none of PyTorch's kernels"
    names = ", ".join(map(str, cost["attention"]))
    return f"{names} in evaluation, avelzoo.nn.cpu in training" if cost["device"] == "cpu" else names


def _share(seconds: float, cost: dict[str, Any]) -> str:
    return f"{100 * seconds / cost['train_seconds']:.0f} %"


def _longest(parts: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(parts.items(), key=lambda part: -part[1])


def _spec(recipe: Recipe, sizes: str) -> FeatureSpec:
    from avelzoo.records import FeatureSpec

    if sizes not in SIZES:
        raise UsageError(f"unknown sizes '{sizes}'" + did_you_mean(sizes, SIZES), expected=", ".join(SIZES))
    if sizes == "dataset":
        return recipe.dataset.open(recipe.supervision).spec
    return FeatureSpec(
        segments=10,
        audio_dim=128 if sizes == "ave" else 2048,
        grid=(7, 7),
        visual_dim=512,
        categories=tuple(f"category {k}" for k in range(28)),
    )
