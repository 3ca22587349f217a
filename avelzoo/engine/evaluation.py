"""Answers of a model on a split, and their scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np
import torch

from avelzoo.composition.model import Model
from avelzoo.composition.recipe import ComputeConfig
from avelzoo.contracts import Dataset, Decision, Split
from avelzoo.engine.deciding import at_both
from avelzoo.engine.diverging import EVALUATION, divergence_named, require_finite
from avelzoo.engine.processes import Processes
from avelzoo.metrics import Answers, Scores, Truth, category_accuracy, concatenate, score, segment_accuracy
from avelzoo.records import FeatureSpec
from avelzoo.system.files import write_bytes


@torch.no_grad()
def answers(model: Model, split: Split, processes: Processes, compute: ComputeConfig) -> Answers:
    """Decoded answers on a whole split. The memory is read once, and left as it is.

    Raises:
        TrainingError: the model's outputs are not finite.
    """
    was_training = model.training
    model.eval()
    found, where = [], f"{EVALUATION} {split.name}"
    with processes.fabric.autocast():
        with divergence_named(model, where, model.view):
            view = processes.view(model)
        for start in range(0, len(split), compute.eval_batch_size):
            indices = np.arange(start, min(start + compute.eval_batch_size, len(split)))
            share = processes.fetch(split, indices)
            with divergence_named(model, where, partial(model.predict, share.batch, view)):
                predictions = processes.predict(model, share, view)
                decoded = model.decode(predictions)
                require_finite(predictions, decoded, where)
                found.append(Answers.from_decoded(decoded))
    model.train(was_training)
    return concatenate(found)


def truth_of(spec: FeatureSpec, split: Split) -> Truth:
    """A split's labels as the scores want them."""
    return Truth(
        segments=split.labels(),
        events=split.events(),
        lengths=split.lengths(),
        categories=spec.categories,
        seconds_per_segment=spec.seconds_per_segment,
    )


def short_scores(found: Answers, truth: Truth) -> dict[str, float | None]:
    """What an epoch's line says of a split: the segment accuracy that chooses the epoch, and what it is made of."""
    return {
        "segment_accuracy": segment_accuracy(found.segments, truth),
        "category_accuracy": category_accuracy(found, truth),
    }


def full_scores(found: Answers, dataset: Dataset, split: Split, decision: Decision | None) -> Scores:
    """Every score of a split, the data set's reference predictors included.

    A head that decides by a threshold adds ``thresholds``, see `avelzoo.engine.deciding.at_both`.
    """
    truth = truth_of(dataset.spec, split)
    scores = score(found, truth, references=dataset.references(split.name))
    return scores if decision is None else replace(scores, thresholds=at_both(decision, found, truth))


def save_answers(path: Path, spec: FeatureSpec, found: Mapping[str, tuple[Split, Answers]]) -> None:
    """Write answers, labels and video ids of several splits into one HDF5 file, whole or not at all."""
    content = BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs["categories"] = list(spec.categories)
        file.attrs["seconds_per_segment"] = spec.seconds_per_segment
        for name, (split, got) in found.items():
            group = file.create_group(name)
            group.create_dataset("video_ids", data=list(split.video_ids), dtype=h5py.string_dtype())
            for field in ("segments", "category", "category_scores", "relevance"):
                group.create_dataset(field, data=getattr(got, field))
            group.create_dataset("true_segments", data=split.labels())
            group.create_dataset("true_events", data=split.events())
            group.create_dataset("lengths", data=split.lengths())
    write_bytes(path, content.getvalue())


def load_answers(path: Path, split: str) -> tuple[list[str], Answers, Truth]:
    """Inverse of ``save_answers`` for one split: video ids, answers, truth."""
    with h5py.File(path, "r") as file:
        group = file[split]
        ids = [name.decode() for name in group["video_ids"][:]]
        found = Answers(
            **{field: group[field][:] for field in ("segments", "category", "category_scores", "relevance")}
        )
        truth = Truth(
            segments=group["true_segments"][:],
            events=group["true_events"][:],
            lengths=group["lengths"][:] if "lengths" in group else np.empty(0, dtype=np.int64),
            categories=tuple(str(name) for name in file.attrs["categories"]),
            seconds_per_segment=float(file.attrs["seconds_per_segment"]),
        )
    return ids, found, truth
