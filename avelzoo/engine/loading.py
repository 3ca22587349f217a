"""A run folder as a model that can be asked."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from avelzoo.components import DatasetConfig
from avelzoo.composition.building import build
from avelzoo.composition.model import Model
from avelzoo.composition.resolving import Composition, from_dict
from avelzoo.contracts import Dataset
from avelzoo.engine.checkpoint import load_weights, save_weights
from avelzoo.engine.device import device_name, feature_type, make_fabric
from avelzoo.engine.evaluation import Evaluator
from avelzoo.engine.loader import Loader
from avelzoo.engine.processes import SingleProcess
from avelzoo.engine.record import location, versions
from avelzoo.engine.result import RunResult
from avelzoo.engine.rundir import RunDir, RunWarning
from avelzoo.errors import AvelzooError, OptionError, RunError, UsageError
from avelzoo.metrics import Scores
from avelzoo.plugin.registry import Registry
from avelzoo.records import FeatureSpec
from avelzoo.system.files import read_json
from avelzoo.system.isolation import isolated


@dataclass(frozen=True)
class LoadedRun:
    """A run, ready to be asked.

    Attributes:
        path: the run folder.
        composition: what was run.
        spec: sizes and names of the features it was trained on.
        model: with the best epoch's weights, in evaluation mode, on the CPU.
        result: the scores; None where the run is not finished or was imported.
        data: fingerprint of the data it was trained on; empty where it was imported.
    """

    path: Path
    composition: Composition
    spec: FeatureSpec
    model: Model
    result: RunResult | None
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def precision(self) -> str:
        """Number format it was trained in."""
        return self.composition.recipe.compute.precision


@dataclass(frozen=True)
class Evaluation:
    """Scores of a run's model on one split, and what they were computed from.

    Attributes:
        scores: what `avelzoo.metrics.score` returns.
        precision: number format of this evaluation.
        trained_precision: number format of the training.
        device: where it was computed.
        same_data: whether the data are those of the training, by fingerprint; None where that is unknown.
    """

    scores: Scores
    precision: str
    trained_precision: str
    device: str
    same_data: bool | None


@isolated()
def load_run(path: Path, registry: Registry) -> LoadedRun:
    """Open a run folder.

    Raises:
        RunError: it is none, is damaged, or has not finished an epoch.
        UnknownNameError: it needs a plugin that is not there.
    """
    folder = RunDir(path)
    data = read_json(path, folder.composition.name)
    try:
        composition = from_dict(registry, data)
        spec = FeatureSpec.from_dict(data["spec"])
    except AvelzooError as error:
        error.where = error.where or str(folder.composition)
        raise
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(
            "the run's composition is incomplete",
            where=str(folder.composition),
            found=f"no {error}" if isinstance(error, KeyError) else str(error),
            fix="use the version of avelzoo that the file names",
        ) from error
    model = build(composition.recipe, spec)
    model = model.to(feature_type(composition.recipe.compute.precision))
    load_weights(folder.best, model)
    result = RunResult.load(folder) if folder.result.exists() else None
    return LoadedRun(path, composition, spec, model.eval(), result, data.get("data", {}))


def evaluate(
    run: LoadedRun,
    *,
    dataset: DatasetConfig | None = None,
    split: str = "test",
    device: str = "auto",
) -> Scores:
    """Scores of a run's model on a split of its own data, or of other data of the same sizes and categories.

    Args:
        run: what to evaluate; left as it is.
        dataset: other data; by default the run's own.
        split: ``train``, ``val`` or ``test``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Returns:
        What `avelzoo.metrics.score` returns.

    Raises:
        RunError: the data's sizes or categories are not those the model was trained on.
        UsageError: there is no such split.
        DataError: the data cannot be read.
        TrainingError: the model's outputs are not finite.

    Warns:
        RunWarning: the device cannot compute in the number format of the training, or the run's data changed since.
    """
    return evaluation(run, dataset=dataset, split=split, device=device).scores


@isolated()
def evaluation(
    run: LoadedRun, *, dataset: DatasetConfig | None = None, split: str = "test", device: str = "auto"
) -> Evaluation:
    """`evaluate`, with the conditions under which the scores were computed."""
    if split not in ("train", "val", "test"):
        raise UsageError(f"unknown split '{split}'", expected="train, val or test")
    recipe = run.composition.recipe
    opened = (dataset or recipe.dataset).open("full")
    require_same(run.spec, opened, run.path)
    part = opened.split(split)
    changed = _changed(run.data, opened.fingerprint())
    if changed and dataset in (None, recipe.dataset):
        warnings.warn(
            f"the run's data changed since its training: {', '.join(changed)} in {location(run.composition.to_dict())}",
            RunWarning,
            stacklevel=3,
        )
    fabric, precision = _fabric(device, recipe.compute.precision)
    home = next((value.device for value in run.model.state_dict().values()), torch.device("cpu"))
    try:
        fabric.setup_module(run.model)
        processes = SingleProcess(fabric, recipe.compute.precision)
        loader = Loader({split: part}, processes, workers=0)
        evaluator = Evaluator(run.model, opened, loader, processes, batch_size=recipe.compute.eval_batch_size)
        with evaluator.reading() as predictions:
            found = evaluator.scores(split, predictions(split))
    finally:
        run.model.to(home)
    return Evaluation(
        found,
        precision=precision,
        trained_precision=recipe.compute.precision,
        device=device_name(fabric.device),
        same_data=None if changed is None else not changed,
    )


def require_same(spec: FeatureSpec, dataset: Dataset, path: Path) -> None:
    """Refuse data a model was not made for; the number of segments may differ.

    Raises:
        RunError: channels, grid or categories differ.
    """
    names = {"audio_dim": "audio channels", "grid": "grid", "visual_dim": "visual channels", "categories": "categories"}
    faults = [
        (label, getattr(dataset.spec, name), getattr(spec, name))
        for name, label in names.items()
        if getattr(dataset.spec, name) != getattr(spec, name)
    ]
    own, there = spec.categories, dataset.spec.categories
    if own != there and sorted(own) == sorted(there):
        first = next(i for i, name in enumerate(own) if there[i] != name)
        raise RunError(
            "the data numbers the categories in another order than the run",
            where=str(path),
            found=f"'{there[first]}' as category {first}",
            expected=f"'{own[first]}' as category {first}: {' | '.join(own)}",
            fix="write these names by line into the data folder's categories.txt, or choose labels as in training",
        )
    if faults:
        raise RunError(
            "the data does not fit the run: other " + " and ".join(label for label, _, _ in faults),
            where=str(path),
            found="; ".join(f"{label} {_short(there)}" for label, there, _ in faults),
            expected="; ".join(f"{label} {_short(own)}" for label, _, own in faults),
            fix="evaluate on features made as those it was trained on",
        )


def save_import(
    path: Path, composition: Composition, spec: FeatureSpec, model: Model, origin: Mapping[str, Any]
) -> None:
    """A run folder for weights that were trained elsewhere: no metrics, no result."""
    folder = RunDir(path)
    folder.require_free()
    record = composition.to_dict() | {"spec": spec.to_dict(), "imported": dict(origin)}
    with folder.claimed():
        folder.begin(record | {"versions": versions(composition.entries)})
        save_weights(folder.best, model, epoch=None)


def _fabric(device: str, precision: str) -> tuple[Fabric, str]:
    """As in training; what a GPU trained in half precision, a CPU computes in float32. Also the precision's name."""
    try:
        return make_fabric(device, precision), precision
    except OptionError:
        fabric = make_fabric(device, "32")
    warnings.warn(
        f"trained in {precision}, evaluated in 32, as a CPU cannot compute in {precision}: scores may differ slightly",
        RunWarning,
        stacklevel=4,
    )
    return fabric, "32"


def _changed(trained: Mapping[str, str], now: Mapping[str, str]) -> list[str] | None:
    """Names of the parts of the data whose fingerprints differ; None where no part is known of both.

    Evaluation may read fewer files than training, such as no negatives.
    """
    common = [name for name in now if name in trained]
    return [name for name in common if now[name] != trained[name]] if common else None


def _short(value: Any) -> str:
    if isinstance(value, tuple) and len(value) > 4:
        return f"{len(value)} ({', '.join(map(str, value[:3]))}, ...)"
    return str(value)
