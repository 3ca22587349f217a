"""`avelzoo evaluate`: scores of a run folder, computed again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avelzoo.cli import render
from avelzoo.composition.resolving import folder_dataset

if TYPE_CHECKING:
    from avelzoo.components import DatasetConfig
    from avelzoo.plugin.registry import Registry


def evaluate(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Run folder of a run or an import.")],
    data: Annotated[Path | None, typer.Option(help="Another data folder in AVE's public layout.")] = None,
    split: Annotated[str, typer.Option(metavar="test|val|train", help="Split to score.")] = "test",
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Device for the computation.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Accept features of another recipe than in training.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")] = False,
) -> None:
    """Score a run folder again, on the same or other data. The folder is not changed."""
    from avelzoo import engine
    from avelzoo.plugin.default import default_host
    from avelzoo.system.allocator import keep_freed_memory

    keep_freed_memory(device)
    registry = default_host().registry
    run = engine.load_run(run_dir, registry)
    dataset = run.composition.recipe.dataset
    if data is not None:
        dataset = _in_folder(registry, dataset, data)
    found = engine.evaluation(run, dataset=dataset, split=split, device=device, force=force)
    scores = {split: found.scores}
    entry = registry.entry_of(dataset)
    name = entry.qualified if entry else type(dataset).__name__
    signature = str(replace(found.signature, dataset=entry.name) if entry else found.signature)
    if json:
        render.emit_json(
            {
                "run_dir": str(run_dir),
                "recipe": run.composition.owner.qualified,
                "dataset": {"name": name, "options": dataset.to_dict(), "same_as_trained": found.same_data},
                "weak_protocol": run.composition.recipe.weak_protocol,
                "precision": {"evaluated": found.precision, "trained": found.trained_precision},
                "device": found.device,
                "signature": signature,
                "scores": {split: found.scores.to_dict()},
            }
        )
    out = render.console(stderr=json)
    out.print(render.score_table(scores))
    same = {True: "the same as in training", False: "different from training", None: ""}[found.same_data]
    rows = {
        "weak labels": render.weak_labels(run.composition.recipe.weak_protocol),
        "run folder": str(run_dir),
        "data": ", ".join(filter(None, (name, str(data or ""), same))),
        "precision": f"trained in {found.trained_precision}, evaluated in {found.precision} on {found.device}",
    }
    out.print(render.fields(rows))
    out.print(signature, style="dim", soft_wrap=True)


def _in_folder(registry: Registry, dataset: DatasetConfig, folder: Path) -> DatasetConfig:
    """The data set with another folder; if it has no folder option, the data set of the public layout."""
    if dataset.reads_folder:
        return replace(dataset, root=folder)  # type: ignore[call-arg]
    config: DatasetConfig = folder_dataset(registry).target(root=folder, weak_protocol=dataset.weak_protocol)
    return config
