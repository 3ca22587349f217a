"""Loading a run folder as a model, and evaluating it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from avelzoo.comparing.signing import signature_of
from avelzoo.components import DatasetConfig
from avelzoo.composition.building import build
from avelzoo.composition.model import Model
from avelzoo.composition.resolving import Composition, from_dict
from avelzoo.engine.checkpoint import load_weights
from avelzoo.engine.deciding import require_fitting_data
from avelzoo.engine.device import device_name, feature_type
from avelzoo.engine.evaluation import Evaluator
from avelzoo.engine.loader import Loader
from avelzoo.engine.matching import changed_data, require_same, require_same_recipes
from avelzoo.engine.predicting import Predictor, evaluation_fabric
from avelzoo.engine.processes import SingleProcess
from avelzoo.engine.record import location
from avelzoo.engine.result import RunResult
from avelzoo.engine.rundir import RunDir, RunWarning
from avelzoo.errors import AvelzooError, RunError, UsageError
from avelzoo.metrics import PredictionArrays, Scores
from avelzoo.metrics.scoring import INTERVAL
from avelzoo.metrics.signature import Signature
from avelzoo.metrics.stored import training_overlap
from avelzoo.plugin.registry import Registry
from avelzoo.records import FeatureSpec
from avelzoo.system.files import read_json
from avelzoo.system.isolation import isolated


@dataclass(frozen=True)
class LoadedRun:
    """A loaded run.

    Attributes:
        path: run folder.
        composition: composition of the run.
        spec: sizes and category names of the training features.
        model: model with the weights of the best epoch, in evaluation mode, on the CPU.
        result: scores; None if the run is not finished or was imported.
        data: fingerprint of the training data; empty if the run was imported.
        extraction: how the training features were extracted; None if unknown.
    """

    path: Path
    composition: Composition
    spec: FeatureSpec
    model: Model
    result: RunResult | None
    data: Mapping[str, str] = field(default_factory=dict)
    extraction: Mapping[str, Any] | None = None

    @property
    def precision(self) -> str:
        """Number format of the training."""
        return self.composition.recipe.compute.precision

    def predictor(self, *, device: str = "auto") -> Predictor:
        """The model for many calls, as a context manager: ``with run.predictor() as predict``.

        Args:
            device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        """
        fabric, precision = evaluation_fabric(device, self.precision)
        return Predictor(self.model, self.spec, SingleProcess(fabric, precision))

    def predict(
        self, audio: Any, visual: Any, *, lengths: Sequence[int] | None = None, device: str = "auto"
    ) -> PredictionArrays:
        """Final predictions for features extracted as those of training, as NumPy arrays.

        Args:
            audio: (t a) of one video, or (b t a).
            visual: (t h w v) of one video, or (b t h w v), channels last.
            lengths: segments of each video, in 1..t; later segments are padding. None if all have t segments.
            device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

        Returns:
            Predictions for b videos; ``segments`` and ``relevance`` are (b t).

        Raises:
            DataError: the features do not fit the model, or are not finite.
        """
        with self.predictor(device=device) as predict:
            return predict(audio, visual, lengths=lengths)


@dataclass(frozen=True)
class Evaluation:
    """Scores of a run's model on one split, with the conditions of the evaluation.

    Attributes:
        scores: result of `avelzoo.metrics.score`.
        precision: number format of this evaluation.
        trained_precision: number format of the training.
        device: device of the computation.
        same_data: whether the data equal those of the training, by fingerprint; None if unknown.
        signature: how the scores were measured.
    """

    scores: Scores
    precision: str
    trained_precision: str
    device: str
    same_data: bool | None
    signature: Signature


@isolated()
def load_run(path: Path, registry: Registry) -> LoadedRun:
    """Open a run folder.

    Raises:
        RunError: the folder holds no run, is damaged, or has no completed epoch.
        UnknownNameError: the run needs a plugin that is not installed.
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
    return LoadedRun(path, composition, spec, model.eval(), result, data.get("data", {}), data.get("extraction"))


def evaluate(
    run: LoadedRun,
    *,
    dataset: DatasetConfig | None = None,
    split: str = "test",
    device: str = "auto",
    force: bool = False,
) -> Scores:
    """Score a run's model on a split of its own data, or of other data with the same sizes and categories.

    Args:
        run: run to evaluate; it is not changed.
        dataset: other data; by default those of the run.
        split: ``train``, ``val`` or ``test``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        force: accept features of another recipe than those of the training.

    Returns:
        Result of `avelzoo.metrics.score`.

    Raises:
        RunError: sizes, categories or recipes of the features differ from those of the training.
        UsageError: the split does not exist.
        DataError: the data cannot be read.
        TrainingError: the model's outputs are not finite.

    Warns:
        RunWarning: the device does not support the training's number format, or the run's data have changed.
    """
    return evaluation(run, dataset=dataset, split=split, device=device, force=force).scores


@isolated()
def evaluation(
    run: LoadedRun,
    *,
    dataset: DatasetConfig | None = None,
    split: str = "test",
    device: str = "auto",
    force: bool = False,
) -> Evaluation:
    """Score as `evaluate` does, with the same arguments; return the conditions too.

    Raises:
        UsageError: an unknown split or device.
    """
    if split not in ("train", "val", "test"):
        raise UsageError(f"unknown split '{split}'", expected="train, val or test")
    recipe = run.composition.recipe
    opened = (dataset or recipe.dataset).open("full")
    if not force:
        fix = "extract the features as in training, or accept them with --force"
        require_same_recipes(opened.extraction, run.extraction, where=str(run.path), fix=fix)
    require_same(run.spec, opened, run.path)
    require_fitting_data(recipe, opened, split)
    changed = changed_data(run.data, opened.fingerprint())
    if changed and dataset in (None, recipe.dataset):
        warnings.warn(
            f"the run's data have changed since training: {', '.join(changed)}"
            f" in {location(run.composition.to_dict())}",
            RunWarning,
            stacklevel=3,
        )
    if changed and split != "train" and (dataset or recipe.dataset).reads_folder:
        videos = set(opened.split(split).video_ids)
        if trained := training_overlap(RunDir(run.path).predictions, tuple(videos)):
            warnings.warn(
                f"{trained} of the {len(videos)} {split} videos were training videos of this run, by their names:"
                " the scores may be too high",
                RunWarning,
                stacklevel=3,
            )
    fabric, precision = evaluation_fabric(device, recipe.compute.precision)
    home = next((value.device for value in run.model.state_dict().values()), torch.device("cpu"))
    try:
        fabric.setup_module(run.model)
        processes = SingleProcess(fabric, recipe.compute.precision)
        loader = Loader({split: opened.split(split)}, processes, workers=0)
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
        signature=signature_of(
            {"dataset": {"name": _name(run, dataset), "options": (dataset or recipe.dataset).to_dict()}},
            recipe.supervision,
            split,
            (opened.split(split).video_ids, evaluator.truth(split)),
            interval=INTERVAL,
        ),
    )


def _name(run: LoadedRun, dataset: DatasetConfig | None) -> str:
    """Name of the run's data set, or the class of another one."""
    own = run.composition.entries["dataset"]
    return own.name if dataset is None or type(dataset) is own.target else type(dataset).__name__
