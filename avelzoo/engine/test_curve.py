"""How much better a run would look had test chosen its epoch. Nothing else may read test before the epoch is chosen.

Most published tables report an epoch's test accuracy chosen by test accuracy itself. Here val chooses; the difference
is reported as a warning (protocol, default 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from avelzoo.composition.model import Model
from avelzoo.composition.recipe import ComputeConfig
from avelzoo.contracts import Dataset
from avelzoo.engine.evaluation import answers, truth_of
from avelzoo.engine.processes import Processes
from avelzoo.engine.rng import rng_preserved
from avelzoo.metrics import segment_accuracy

_KEY = "test_segment_accuracy"


def look(model: Model, dataset: Dataset, processes: Processes, compute: ComputeConfig) -> dict[str, float]:
    """This epoch's test accuracy, for its line in ``metrics.jsonl``. Leaves no trace in model or generators."""
    split = dataset.split("test")
    with rng_preserved(processes.fabric.device):
        found = answers(model, split, processes, compute)
    return {_KEY: segment_accuracy(found.segments, truth_of(dataset.spec, split))}


def gap(history: Iterable[Mapping[str, Any]], chosen: float) -> float:
    """Best test segment accuracy of any epoch minus that of the chosen one, at least 0."""
    best: float = max(chosen, *(line[_KEY] for line in history))
    return best - chosen
