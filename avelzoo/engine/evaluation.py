"""Answers of a model on a split, and their scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from lightning_fabric import Fabric

from avelzoo.contracts import Dataset, Split
from avelzoo.engine.files import write_whole
from avelzoo.metrics import Answers, Truth, concatenate, score, segment_accuracy
from avelzoo.model import Model

FEATURE_TYPE = {"64": torch.float64}
"""Type of the features by precision, where it is not float32."""


@torch.no_grad()
def answers(model: Model, split: Split, fabric: Fabric, *, batch_size: int, precision: str) -> Answers:
    """Decoded answers on a whole split. The memory is read once, and left as it is."""
    was_training = model.training
    model.eval()
    found = []
    with fabric.autocast():
        view = model.view()
        for start in range(0, len(split), batch_size):
            batch, _ = split.fetch(np.arange(start, min(start + batch_size, len(split))))
            batch = batch.to(fabric.device, dtype=FEATURE_TYPE.get(precision))
            found.append(Answers.from_decoded(model.head.decode(model.predict(batch, view))))
    model.train(was_training)
    return concatenate(found)


def truth_of(dataset: Dataset, split: Split) -> Truth:
    """A split's labels as the scores want them."""
    return Truth(
        segments=split.labels(),
        events=split.events(),
        categories=dataset.spec.categories,
        seconds_per_segment=dataset.spec.seconds_per_segment,
    )


def quick_accuracy(found: Answers, truth: Truth) -> float:
    """Segment accuracy alone, for choosing an epoch."""
    return float(segment_accuracy(found.segments, truth))


def full_scores(found: Answers, dataset: Dataset, split: Split) -> dict[str, Any]:
    """Every score of a split, the data set's reference predictors included."""
    return score(found, truth_of(dataset, split), references=dataset.references(split.name))


def save_answers(path: Path, found: Mapping[str, tuple[Split, Answers]]) -> None:
    """Write answers, labels and video ids of several splits into one HDF5 file, whole or not at all."""

    def write(scratch: Path) -> None:
        with h5py.File(scratch, "w") as file:
            for name, (split, got) in found.items():
                group = file.create_group(name)
                group.create_dataset("video_ids", data=list(split.video_ids), dtype=h5py.string_dtype())
                for field in ("segments", "category", "category_scores", "relevance"):
                    group.create_dataset(field, data=getattr(got, field))
                group.create_dataset("true_segments", data=split.labels())
                group.create_dataset("true_events", data=split.events())

    write_whole(path, write)
