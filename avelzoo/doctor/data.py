"""A data folder, in AVE's public layout or in that of another data set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avelzoo.doctor.findings import Finding, Level
from avelzoo.errors import AvelzooError, some

if TYPE_CHECKING:
    from avelzoo.components import DatasetConfig
    from avelzoo.metrics import SplitLabels
    from avelzoo.plugin.registry import Entry, Registry

LEVELS: dict[str, Level] = {"error": "problem", "warning": "warning", "note": "ok"}


def data(folder: Path | None, dataset: str | None, *, torch_works: bool) -> Iterator[Finding]:
    """Findings of a quick examination of a data folder, or of a data set without one.

    Args:
        folder: the folder; None for none.
        dataset: name of the data set; None for AVE's public layout.
        torch_works: whether PyTorch can be imported, to read features in other layouts.

    Raises:
        DataError: the folder does not exist.
        UsageError: an unknown data set, or one that reads no folder, or lacks one.
    """
    from avelzoo.composition.resolving import folder_dataset
    from avelzoo.data.reading.layout import need_folder
    from avelzoo.plugin.default import default_host

    if folder is None and dataset is None:
        yield Finding("data", "worlds", "ok", "built in; --data DIR examines a data folder")
        return
    registry = default_host().registry
    public = folder_dataset(registry)
    entry = public if dataset is None else registry.get("dataset", dataset)
    if (folder is not None) != entry.target.reads_folder:
        text = f"the data set '{entry.name}' reads {'a' if folder is None else 'no'} folder"
        fix = "name it with --data DIR" if folder is None else "remove --data, or choose another --dataset"
        yield Finding("data", entry.name, "problem", text, fix)
        return
    root = None if folder is None else need_folder(folder.expanduser())
    if root is not None and issubclass(entry.target, public.target):
        yield from _public(root) if _has_public_files(root) else [_unknown_layout(registry, public, root)]
    else:
        config = entry.target() if root is None else entry.target(root=root)
        yield from _other(entry, config, torch_works=torch_works)


def _public(root: Path) -> Iterator[Finding]:
    """Findings about AVE's public layout, also written by `avelzoo extract`."""
    from avelzoo.data.checking.doctor import examine

    report = examine(root, quick=True)
    for found in report.findings:
        details = (("found", found.found), ("expected", found.expected))
        text = "; ".join([found.problem, *(f"{label} {value}" for label, value in details if value)])
        yield Finding("data", found.file, LEVELS[found.level], text, found.fix)
    text = f"{len(report.files)} files, {report.count('error')} errors, {report.count('warning')} warnings"
    level: Level = "ok" if report.ok else "problem"
    yield Finding("data", str(root), level, text, f"`avelzoo data doctor {root}` reads every number")


def _has_public_files(root: Path) -> bool:
    from avelzoo.data.reading.layout import FEATURES, FILES, annotation_file

    return any((root / name).exists() for name in (annotation_file(root), FEATURES, *(file.name for file in FILES)))


def _unknown_layout(registry: Registry, public: Entry, root: Path) -> Finding:
    """What the folder is not, and which data set reads it, if one does."""
    there = sorted(path.name for path in root.iterdir())
    text = f"no file of AVE's public layout; found {some(there) or 'an empty folder'}"
    others = [
        e for e in registry.entries("dataset") if e.target.reads_folder and not issubclass(e.target, public.target)
    ]
    for entry in others:
        try:
            _labels(entry.target(root=root))
        except AvelzooError:
            continue
        return Finding("data", str(root), "problem", text, f"add --dataset {entry.name}, which can read this folder")
    names = f"--dataset NAME for another layout ({some([e.name for e in others])}), or " if others else ""
    return Finding("data", str(root), "problem", text, f"{names}`avelzoo extract` to make a data folder from videos")


def _other(entry: Entry, config: DatasetConfig, *, torch_works: bool) -> Iterator[Finding]:
    """Labels of every split, and one video's features of each."""
    from avelzoo.metrics import ReadsLabels

    labelled = isinstance(config, ReadsLabels)
    if labelled:
        for name, split in _labels(config).items():
            yield Finding("data", name, "ok", _words(split))
    if not torch_works:
        yield Finding("data", "features", "warning", "not examined, because PyTorch cannot be imported")
        return
    try:
        opened = config.open("full")
        for name in ("train", "val", "test"):
            videos = opened.split(name)
            batch, _ = videos.fetch([0])
            sizes = f"audio {_sizes(batch.audio)}, visual {_sizes(batch.visual)}"
            yield Finding("data", f"features of {name}", "ok", f"{len(videos):,} videos; the first one has {sizes}")
    except AvelzooError as error:
        text = "; ".join(filter(None, (error.problem, error.where, error.found and f"found {error.found}")))
        scope = "labels can be audited, but no model can be trained: " if labelled else ""
        yield Finding(
            "data", f"features of {entry.name}", "warning" if labelled else "problem", scope + text, error.fix
        )


def _labels(config: Any) -> dict[str, SplitLabels]:
    """Labels by split, of data sets that read them without features; else none."""
    from avelzoo.metrics import ReadsLabels

    return dict(config.read_labels()) if isinstance(config, ReadsLabels) else {}


def _words(split: SplitLabels) -> str:
    truth = split.truth
    share = 1 - truth.relevance.sum() / truth.lengths.sum()
    empty = int((~truth.relevance.any(axis=1)).sum())
    without = f", {empty:,} videos without an event" if empty else ""
    return f"{len(split.video_ids):,} videos, {truth.n} categories, {100 * share:.1f} % background segments{without}"


def _sizes(features: Any) -> str:
    return " x ".join(map(str, features.shape[1:]))
