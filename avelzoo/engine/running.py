"""A run from its composition to its result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from torch.optim import Optimizer

from avelzoo.compose import build, check
from avelzoo.composition import Composition
from avelzoo.contracts import Dataset
from avelzoo.engine.checkpoint import load_weights
from avelzoo.engine.environment import (
    deterministic,
    device_name,
    make_fabric,
    peak_memory_mb,
    seed_everything,
    versions,
)
from avelzoo.engine.evaluation import answers, full_scores, save_answers
from avelzoo.engine.optimization import adam
from avelzoo.engine.progress import Watched, default_watcher
from avelzoo.engine.result import RunResult
from avelzoo.engine.rundir import RunDir
from avelzoo.engine.training import Trainer
from avelzoo.registry import Registry


def run(
    composition: Composition,
    out: Path,
    *,
    registry: Registry,
    resume: bool = False,
    device: str = "auto",
    command: Sequence[str] = (),
    progress: bool = False,
) -> RunResult:
    """Train a composition, choose its epoch on val, read test once, and leave a run folder.

    Args:
        composition: every value, with its source.
        out: the run folder; new, or with ``resume`` that of the same composition.
        registry: where the components are registered.
        resume: go on with the run in ``out``; a finished one just returns its result.
        device: ``auto``, ``cpu`` or ``cuda``.
        command: what was typed, for the record.
        progress: show a bar when stderr is a terminal.

    Raises:
        AvelzooError: anything a user can act on. Runs that exist are left as they are.
    """
    recipe = composition.recipe
    check(recipe, registry)
    folder = RunDir(out)
    fabric = make_fabric(device, recipe.train.precision)
    dataset = recipe.dataset.open(recipe.supervision)
    record = run_record(composition, dataset, command)
    if resume and folder.composition.exists():
        folder.reopen(record)
        if folder.result.exists():
            return RunResult.load(folder)
    else:
        folder.begin(record)
    with deterministic(fabric.device), Watched(default_watcher(wanted=progress)) as watcher:
        seed_everything(recipe.train.seed)
        model = build(recipe, dataset.spec)
        fabric.setup_module(model)
        optimizer = cast("Optimizer", fabric.setup_optimizers(adam(model, recipe.train)))
        trainer = Trainer(model, optimizer, fabric, dataset, recipe.train, folder, watcher)
        done = trainer.fit(resume=resume)
        load_weights(folder.best, model)
        scores: dict[str, Any] = {}
        found = {}
        for name in ("val", "test"):
            split = dataset.split(name)
            got = answers(
                model, split, fabric, batch_size=recipe.train.eval_batch_size, precision=recipe.train.precision
            )
            scores[name] = full_scores(got, dataset, split)
            found[name] = (split, got)
    save_answers(folder.predictions, found)
    result = RunResult(
        recipe=composition.owner.qualified,
        supervision=recipe.supervision,
        scores=scores,
        best_epoch=done.best_epoch,
        epochs=done.epochs_done,
        optimism_gap=done.best_test - scores["test"]["segment_accuracy"],
        seed=recipe.train.seed,
        run_dir=str(folder.path),
        parameters=sum(p.numel() for p in model.parameters()),
        seconds=done.seconds,
        seconds_per_epoch=done.seconds / done.epochs_done,
        peak_memory_mb=peak_memory_mb(fabric.device),
        device=device_name(fabric.device),
        precision=recipe.train.precision,
        versions=record["versions"],
        data=record["data"],
    )
    result.save(folder)
    return result


def run_record(composition: Composition, dataset: Dataset, command: Sequence[str]) -> dict[str, Any]:
    """What ``composition.json`` holds."""
    return composition.to_dict() | {
        "spec": dataset.spec.to_dict(),
        "data": dict(dataset.fingerprint()),
        "versions": versions(composition.entries),
        "command": list(command),
    }
