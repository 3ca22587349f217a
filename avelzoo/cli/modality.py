"""Data and file of `avelzoo data modality`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avelzoo.errors import UsageError

if TYPE_CHECKING:
    from rich.progress import Progress

    from avelzoo.components import DatasetConfig


def decide(
    folder: Path | None, name: str | None, values: Sequence[str], *, progress: Progress, margin: float, folds: int
) -> dict[str, Any]:
    """Content of the file: what leads each category, the scores behind it, and which data they are of.

    Args:
        folder: data folder; None for data without one.
        name: name of the data set; by default that of AVE's public layout.
        values: ``dataset.option=value``.
        progress: shows the videos read.
        margin: smallest difference of a led category.
        folds: number of parts of the training videos.

    Raises:
        UsageError: no data, or an unknown name or option.
        DataError: the data cannot be read.
    """
    label, config = _config(folder, name, values)
    from avelzoo.comparing.modality import modality
    from avelzoo.engine.pooling import pooled_features
    from avelzoo.metrics import Truth
    from avelzoo.metrics.signature import data_hash
    from avelzoo.version import __version__

    opened = config.open("full")
    split = opened.split("train")
    truth = Truth(
        segments=split.labels(), events=split.events(), lengths=split.lengths(), categories=opened.spec.categories
    )
    task = progress.add_task("reading", total=len(split))
    audio, visual = pooled_features(split, lambda count: progress.advance(task, count))
    found = modality(audio, visual, truth, margin=margin, folds=folds)
    facts = {"dataset": label, "split": "train", "data": data_hash(split.video_ids, truth), "avelzoo": __version__}
    return found.to_dict() | facts


def write_modality(path: Path, found: Mapping[str, Any]) -> None:
    """Write the file."""
    from avelzoo.system.files import make_folder, write_json

    make_folder(path.parent)
    write_json(path, found)


def modality_rows(found: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Rows for people: category, what leads it, videos, both scores, difference."""
    from avelzoo.comparing.wording import Wording

    say = Wording()
    for name, one in found["categories"].items():
        ends = one["difference"]
        span = "-"
        if ends["value"] is not None and ends["low"] is not None:
            span = f"{say.signed(ends['value'])} ({say.signed(ends['low'])} to {say.signed(ends['high'])})"
        yield (name, one["led"], str(one["videos"]), say.number(one["audio"]), say.number(one["visual"]), span)


def _config(folder: Path | None, name: str | None, values: Sequence[str]) -> tuple[str, DatasetConfig]:
    """Name of the data set, and its config with these values."""
    from avelzoo.composition.overrides import Override
    from avelzoo.composition.resolving import folder_dataset
    from avelzoo.plugin.default import default_host

    if folder is None and name is None:
        raise UsageError("no data given", fix="name a data folder, or a data set with --dataset, such as worlds")
    registry = default_host().registry
    entry = folder_dataset(registry) if name is None else registry.get("dataset", name)
    overrides = [Override.parse(value) for value in values]
    config: DatasetConfig = entry.target()
    if folder is not None:
        if not config.reads_folder:
            raise UsageError(f"the data set '{entry.name}' reads no folder", found=str(folder), fix="remove the folder")
        overrides.append(Override("dataset.root", str(folder), "DIR"))
    chosen = {}
    for override in overrides:
        slot, _, option = override.path.partition(".")
        if slot != "dataset":
            raise UsageError("only options of the data set are read here", where="--set", found=override.path)
        chosen[option] = override.value_in({"dataset": entry.target})
    return entry.name, replace(config, **chosen)
