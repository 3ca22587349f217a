"""A run from its composition to its result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from avelzoo.comparing.signing import signature_of
from avelzoo.components import LEAKING_PROTOCOLS
from avelzoo.composition.building import build
from avelzoo.composition.checking import check
from avelzoo.composition.model import Model
from avelzoo.composition.recipe import Recipe
from avelzoo.composition.resolving import Composition
from avelzoo.contracts import Dataset
from avelzoo.engine import test_curve
from avelzoo.engine.checkpoint import Progress, load_weights
from avelzoo.engine.compiling import compile_model
from avelzoo.engine.deciding import require_fitting_data
from avelzoo.engine.device import Fabric, connect, device_name, find_device, peak_memory_mb
from avelzoo.engine.device_cache import cached
from avelzoo.engine.evaluation import Evaluator
from avelzoo.engine.loader import Loader, suggested_workers
from avelzoo.engine.optimization import averaged, trainable
from avelzoo.engine.parallel.collectives import Collectives
from avelzoo.engine.parallel.launch import Task, launch
from avelzoo.engine.parallel.rank import Rank, find_rank, is_first, require_agreement
from avelzoo.engine.parallel.shared import SharedProcesses
from avelzoo.engine.precision import with_chosen_precision
from avelzoo.engine.processes import Processes, SingleProcess
from avelzoo.engine.record import run_record, versions
from avelzoo.engine.result import RunResult
from avelzoo.engine.rng import seeded
from avelzoo.engine.run_events import RunEvents
from avelzoo.engine.rundir import RunDir
from avelzoo.engine.training import Trainer
from avelzoo.errors import DataError
from avelzoo.metrics.scoring import INTERVAL
from avelzoo.metrics.stored import save_predictions
from avelzoo.plugin.listeners import Listener, RunView
from avelzoo.plugin.registry import Registry
from avelzoo.system.files import clear_scratch
from avelzoo.system.isolation import deterministic, isolated, set_deterministic


@isolated()
def run(
    composition: Composition,
    out: Path,
    *,
    registry: Registry,
    resume: bool = False,
    device: str = "auto",
    devices: int = 1,
    nodes: int = 1,
    command: Sequence[str] = (),
    listeners: Sequence[Listener] = (),
) -> RunResult:
    """Train a composition, choose its epoch on val, score test once, and write a run folder.

    On a CPU the same composition gives bit-identical numbers, even if the run was killed and resumed, and regardless of
    the caller's PyTorch settings (default dtype or device, gradients, autocast, seeds, ...): see
    `avelzoo.system.isolation.isolated`. If several threads call this function, they run one after another.

    Args:
        composition: composition of the run.
        out: run folder; new, or with ``resume`` the folder of the same composition.
        registry: registry of the components.
        resume: resume the run in ``out``, or start it if it has no completed epoch; for a finished run, only return
            the result.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        devices: processes on this machine, one device each; they split every batch. They are started here, unless
            torchrun started them.
        nodes: number of machines with ``devices`` processes each; each machine makes the same call.
        command: command line, for the record.
        listeners: receive the run's events, in rank 0.

    Raises:
        AvelzooError: an error that users can solve. Existing runs are not changed.
    """
    recipe, rank = composition.recipe, find_rank()
    require_agreement(rank, devices, nodes)
    check(recipe, registry, composition.sources)
    folder = RunDir(Path(out))
    if resume and folder.result.exists():
        folder.require_values(composition.to_dict(), lambda: recipe.dataset.open(recipe.supervision).fingerprint())
        with suppress(OSError):  # killed after the last file was written; reading needs no write access
            clear_scratch(folder.path)
        return RunResult.load(folder)
    writes = (nodes == 1 and rank is None) or is_first(rank)
    if writes and not (resume and folder.composition.exists()):
        folder.require_free()
    heard = listeners if writes else ()
    if rank is None and devices * nodes > 1:
        task = Task(composition, folder.path, resume=resume, device=device, command=tuple(command))
        with RunEvents(heard, RunView(folder.path, composition)) as events:
            events.result = launch(task, registry, devices=devices, nodes=nodes, events=events)
        return events.result
    place = find_device(device, rank)
    if rank is not None:
        connect(rank, place)
    composition = with_chosen_precision(composition, folder.path, place, rank)
    recipe = composition.recipe
    fabric = Fabric(place, recipe.compute.precision)
    events = RunEvents(heard, RunView(folder.path, composition))
    dataset = recipe.dataset.open(recipe.supervision)
    _require_videos(dataset)
    for split in ("train", "val") if recipe.supervision == "full" else ("val",):
        require_fitting_data(recipe, dataset, split, registry)
    with seeded(recipe.train.seed, fabric.device):
        processes = _processes(rank, fabric, composition)
        folder = RunDir(Path(processes.broadcast_object(str(folder.path))))
        record = run_record(
            composition, registry, dataset, device=fabric.device, processes=processes.size, command=command
        )
        model = build(recipe, dataset.spec)
        with folder.claimed() if processes.first else nullcontext(), events:
            if processes.first and resume and folder.composition.exists():
                folder.reopen(record)
            elif processes.first:
                folder.begin(record, bytes_needed=_bytes_needed(model, recipe))
            fabric.setup_module(model)
            processes.synchronise(model)
            kept = cached(dataset, fabric.device, recipe.compute.cache_on_device)
            decay = recipe.train.ema_decay
            average = None if decay is None else averaged(model, decay)
            optimizer = recipe.optimizer.build(trainable(model))
            failure = _compile(model, processes, kept, recipe) if recipe.compute.compile else None
            loader = _loader(kept, processes, recipe)
            done = Trainer(model, average, optimizer, processes, kept, loader, recipe, folder, events).fit()
            finished = _finish(composition, folder, processes, dataset=kept, loader=loader, model=model, done=done)
            events.result = replace(finished, compile_failure=failure)
            if processes.first:
                events.result.save(folder)
            processes.barrier()
    return events.result


def _processes(rank: Rank | None, fabric: Fabric, composition: Composition) -> Processes:
    recipe = composition.recipe
    if rank is None:
        return SingleProcess(fabric, recipe.compute.precision)
    return SharedProcesses(fabric, recipe.compute.precision, Collectives(rank, fabric.device), recipe.train.seed)


def _loader(dataset: Dataset, processes: Processes, recipe: Recipe) -> Loader:
    workers, transfer = recipe.compute.workers, recipe.compute.transfer
    if recipe.compute.cache_on_device != "off":  # features are on the device already
        workers, transfer = 0, "stored"
    splits = {name: dataset.split(name) for name in ("train", "val", "test")}
    return Loader(
        splits,
        processes,
        suggested_workers(dataset) if workers is None else workers,
        None if transfer == "stored" else getattr(torch, transfer),
    )


def _compile(model: Model, processes: Processes, dataset: Dataset, recipe: Recipe) -> str | None:
    set_deterministic(deterministic(), compiling=True)
    split = dataset.split("train")
    example = processes.fetch(split, np.arange(min(recipe.train.batch_size, len(split)))).batch
    with processes.fabric.autocast():
        return compile_model(model, example, mode=recipe.compute.compile_mode)


def _finish(
    composition: Composition,
    folder: RunDir,
    processes: Processes,
    *,
    dataset: Dataset,
    loader: Loader,
    model: Model,
    done: Progress,
) -> RunResult:
    """Score the chosen epoch."""
    began = time.perf_counter()
    recipe, train, device = composition.recipe, composition.recipe.train, processes.fabric.device
    load_weights(folder.best, model, read=processes.read)
    evaluator = Evaluator(model, dataset, loader, processes, batch_size=recipe.compute.eval_batch_size)
    with evaluator.reading() as predictions:
        found = {name: predictions(name) for name in ("val", "test")}
    scores = {name: evaluator.scores(name, got) for name, got in found.items()}
    if processes.first:
        save_predictions(
            folder.predictions,
            dataset.spec,
            {name: (dataset.split(name), got) for name, got in found.items()},
            trained=dataset.split("train").video_ids,
        )
    labels = dataset.split("test").video_ids, evaluator.truth("test")
    return RunResult(
        recipe=composition.owner.qualified,
        supervision=recipe.supervision,
        scores=scores,
        best_epoch=done.best_epoch,
        epochs=done.epochs_done,
        optimism_gap=test_curve.gap(done.history, scores["test"].segment_accuracy),
        seed=train.seed,
        run_dir=str(folder.path),
        parameters=sum(p.numel() for p in model.parameters()),
        seconds=done.seconds + time.perf_counter() - began,
        seconds_per_epoch=sum(line["train_seconds"] for line in done.history) / len(done.history),
        peak_memory_mb=processes.max_over_ranks(peak_memory_mb(device)),
        device=device_name(device) if processes.size == 1 else f"{processes.size} x {device_name(device)}",
        precision=recipe.compute.precision,
        versions=versions(composition.entries),
        data=dict(dataset.fingerprint()),
        weak_protocol=recipe.weak_protocol,
        leaks_duration=recipe.weak_protocol in LEAKING_PROTOCOLS,
        stopped_early=done.epochs_done < train.epochs,
        signature=str(
            signature_of(composition.to_dict()["slots"], recipe.supervision, "test", labels, interval=INTERVAL)
        ),
    )


def _require_videos(dataset: Dataset) -> None:
    for name in ("train", "val", "test"):
        if len(dataset.split(name)) == 0:
            raise DataError(
                f"the split '{name}' holds no videos", expected="one or more", fix="check the data set's order files"
            )


def _bytes_needed(model: Model, recipe: Recipe) -> int:
    """Size of the run folder, including the second copy of a file while it is replaced."""
    weights, moments = (
        sum(value.numel() * value.element_size() for value in values)
        for values in (model.state_dict().values(), model.parameters())
    )
    state = weights * (1 if recipe.train.ema_decay is None else 2) + 2 * moments
    return 2 * (state + weights)
