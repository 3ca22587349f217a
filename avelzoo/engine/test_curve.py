"""Test accuracy after every epoch, to measure the gain from choosing the epoch on test.

Most published tables report an epoch's test accuracy chosen by test accuracy itself. Here val chooses; the difference
is the optimism gap. Nothing else may read test before the epoch is chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from avelzoo.composition.recipe import TrainConfig
from avelzoo.contracts import Dataset
from avelzoo.engine.evaluation import Evaluator, Predict
from avelzoo.engine.rng import rng_preserved
from avelzoo.metrics import segment_accuracy

_KEY = "test_segment_accuracy"


def wanted(train: TrainConfig, dataset: Dataset) -> bool:
    """Whether test is measured after every epoch; the run and the data set can disable it."""
    return train.test_curve and "test" not in dataset.hidden


def measure(evaluator: Evaluator, predictions: Predict) -> dict[str, float]:
    """Test accuracy of this epoch, for ``metrics.jsonl``. Random generators do not change."""
    with rng_preserved(evaluator.device):
        found = predictions("test")
    return {_KEY: segment_accuracy(found.segments, evaluator.truth("test"))}


def gap(history: Iterable[Mapping[str, Any]], chosen: float) -> float | None:
    """Best test segment accuracy of any epoch minus that of the chosen epoch, at least 0; None if unknown."""
    lines = list(history)
    return max(chosen, *(line[_KEY] for line in lines)) - chosen if all(_KEY in line for line in lines) else None
