"""A model's predictions on the splits of a data set, and their scores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np
import torch

from avelzoo.composition.model import Model
from avelzoo.contracts import Dataset
from avelzoo.engine.deciding import at_both, decided
from avelzoo.engine.diverging import EVALUATION, divergence_named, require_finite
from avelzoo.engine.loader import Loader
from avelzoo.engine.processes import Processes
from avelzoo.metrics import PredictionArrays, Scores, Truth, category_accuracy, score, segment_accuracy
from avelzoo.records import MemoryView, Predictions


class Predict(Protocol):
    """Predictions on a split, by the model's decoder or by its head alone."""

    def __call__(self, name: str, *, by_head: bool = False) -> PredictionArrays:
        """Predictions on the split of this name."""
        ...


class Evaluator:
    """Predictions of a model on the splits of a data set; labels are read once per split.

    Args:
        model: model on its device.
        dataset: data set with the splits.
        loader: loader of the splits.
        processes: processes that share the computation.
        batch_size: videos per batch.
    """

    def __init__(
        self, model: Model, dataset: Dataset, loader: Loader, processes: Processes, *, batch_size: int
    ) -> None:
        self.dataset = dataset
        self.device = processes.fabric.device
        self._model, self._loader, self._processes = model, loader, processes
        self._batch_size = batch_size
        self._truths: dict[str, Truth] = {}

    def truth(self, name: str) -> Truth:
        """A split's labels in the form that scores need."""
        if name not in self._truths:
            split, spec = self.dataset.split(name), self.dataset.spec
            self._truths[name] = Truth(
                segments=split.labels(),
                events=split.events(),
                lengths=split.lengths(),
                categories=spec.categories,
                seconds_per_segment=spec.seconds_per_segment,
            )
        return self._truths[name]

    @contextmanager
    def reading(self) -> Iterator[Predict]:
        """Read the memory once and yield a function from a split's name to predictions, in evaluation mode.

        Raises:
            TrainingError: the model's outputs are not finite.
        """
        model, was_training = self._model, self._model.training
        model.eval()
        try:
            with torch.no_grad(), self._processes.fabric.autocast():
                with divergence_named(model, f"{EVALUATION} val", model.view):
                    view = self._processes.view(model)
                yield partial(self._answers, view)
        finally:
            model.train(was_training)

    def scores(self, name: str, found: PredictionArrays) -> Scores:
        """All scores of a split, including the data set's reference predictors.

        A head with a threshold that decides adds ``thresholds``; see `avelzoo.engine.deciding.at_both`.
        """
        truth, decision = self.truth(name), self._model.head.decision
        scores = score(found, truth, references=self.dataset.references(name))
        if decision is None or self._model.decoder is not None:
            return scores
        return replace(scores, thresholds=at_both(decision, found, truth))

    def _answers(self, view: MemoryView | None, name: str, *, by_head: bool = False) -> PredictionArrays:
        model, where = self._model, f"{EVALUATION} {name}"
        positions = np.arange(len(self.dataset.split(name)))
        batches = [positions[i : i + self._batch_size] for i in range(0, len(positions), self._batch_size)]
        found: list[Predictions] = []
        with self._loader.shares(name, batches) as shares:
            for share in shares:
                with divergence_named(model, where, partial(model.predict, share.batch, view)):
                    output = self._processes.predict(model, share, view)
                    predictions = model.decode(output)
                    require_finite(output, predictions, where)
                    found.append(predictions.to("cpu"))
        arrays = PredictionArrays.from_predictions(found, self.dataset.split(name).lengths())
        return arrays if by_head else decided(model, arrays)


def short_scores(found: PredictionArrays, truth: Truth) -> dict[str, float | None]:
    """Scores of a split in an epoch's line: segment accuracy, by which the epoch is chosen, and its components."""
    return {
        "segment_accuracy": segment_accuracy(found.segments, truth),
        "category_accuracy": category_accuracy(found, truth),
    }
