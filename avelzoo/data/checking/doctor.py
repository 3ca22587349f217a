"""Examination of a folder in the public layout: every file, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from avelzoo.data.checking.checks import check_annotations, check_orders, check_place, check_storage
from avelzoo.data.checking.findings import FileReport, Finding, Level, Report, listed
from avelzoo.data.checking.label_checks import check_labels
from avelzoo.data.checking.sources import SOURCES
from avelzoo.data.checking.status import known_marker
from avelzoo.data.facts import CHECKSUMS, is_ave
from avelzoo.data.making.pack import check_packed
from avelzoo.data.reading.annotations import Annotations, read_annotations
from avelzoo.data.reading.categories import CATEGORIES
from avelzoo.data.reading.checksum import sha256
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.header import read_info
from avelzoo.data.reading.layout import (
    ANNOTATIONS,
    AUDIO,
    BY_NAME,
    FILES,
    MARKER,
    NEGATIVE_LABELS,
    NEGATIVE_VISUAL,
    POOLED_VISUAL,
    VISUAL,
    is_there,
    need_folder,
    read_marker,
    visual_features,
)
from avelzoo.data.reading.opening import absent
from avelzoo.data.reading.orders import order_files
from avelzoo.data.reading.values import survey
from avelzoo.errors import DataError

Tick = Callable[[int], None]
_AXES = {"t": "segments", "h": "grid rows", "w": "grid columns", "v": "channels", "a": "channels"}
_ORDER = {"error": 0, "warning": 1, "note": 2}


def work(root: Path, *, quick: bool = False) -> int:
    """Bytes that an examination will read, about."""
    sizes = [path.stat().st_size for file in FILES if (path := root / file.name).is_file()]
    return 0 if quick else 2 * sum(sizes)


def examine(root: Path, *, quick: bool = False, tick: Tick | None = None) -> Report:
    """Examine every file of a folder, including all numbers.

    Args:
        root: the folder.
        quick: sample rows of the features and skip checksums.
        tick: called with the number of bytes read.

    Raises:
        DataError: the folder does not exist.
    """
    root = need_folder(root.expanduser())
    report = Report(root, quick, known_marker(root))
    report.findings += _missing(root)
    report.findings += _marker(root)
    annotations = _annotations(root, report)
    arrays = dict(_arrays(root, report, tick))
    report.findings += _check_sizes(arrays, annotations)
    if annotations is not None:
        report.findings += check_annotations(annotations)
        report.findings += check_orders(root, annotations)
        t = next((array.shape[1] for name, array in arrays.items() if len(BY_NAME[name].axes) > 2), None)
        sound = {file.name for file in report.files if file.values is not None and not file.values.bad_rows}
        report.findings += check_labels(root, annotations, t or max(1, int(annotations.ends.max())), sound)
    if not quick:
        for file in report.files:
            file.sha256 = sha256(root / file.name, tick)
            file.public = file.sha256 == CHECKSUMS[file.name] if file.name in CHECKSUMS else None
    if annotations is not None and report.simulated is None:
        report.findings += _unlike_public(report, annotations)
    report.findings += check_packed(root, {file.name: file.sha256 for file in report.files})
    report.findings = list(dict.fromkeys(report.findings))
    report.findings.sort(key=lambda finding: _ORDER[finding.level])
    return report


def _marker(root: Path) -> Iterator[Finding]:
    try:
        read_marker(root)
    except DataError as error:
        yield Finding.of(error, MARKER)


def _unlike_public(report: Report, annotations: Annotations) -> Iterator[Finding]:
    """Report small files that differ from AVE's published ones, if the folder is probably AVE."""
    if not is_ave(len(annotations), annotations.categories):
        return
    for file in report.files:
        if file.public is False:
            source = SOURCES[file.name]
            yield Finding(
                "warning",
                file.name,
                "the file differs from AVE's published file",
                f"{file.bytes:,} bytes, sha256 {(file.sha256 or '')[:12]}...",
                f"{source.bytes:,} bytes, sha256 {source.sha256[:12]}..., from {source}",
                "no action needed if the change is intended; scores are then not comparable with scores on AVE",
            )


def _missing(root: Path) -> Iterator[Finding]:
    for file in FILES:
        path = root / file.name
        if is_there(path) and not path.is_file():
            yield Finding.of(absent(path, expected=file.text), file.name)
    needed = [ANNOTATIONS, *order_files(root).values(), visual_features(root)]
    for name in needed:
        if not is_there(root / name):
            yield Finding("error", name, "the file is missing", expected=BY_NAME[name].text, fix=_get(name))
    if not any(is_there(root / name) for name in AUDIO.values()):
        yield Finding(
            "error",
            " or ".join(AUDIO.values()),
            "the file is missing",
            expected="audio features",
            fix=_get(AUDIO["vggish"]),
        )
    if not is_there(root / NEGATIVE_VISUAL):
        yield Finding(
            "note",
            NEGATIVE_VISUAL,
            "no negatives for weak training",
            fix=f"train without them: --set dataset.weak_protocol=onehot; or {_get(NEGATIVE_VISUAL)}",
        )


def _get(name: str) -> str:
    return f"add the file; AVE's: {SOURCES[name]}" if name in SOURCES else "add the file"


def _annotations(root: Path, report: Report) -> Annotations | None:
    path = root / ANNOTATIONS
    if not path.is_file():
        return None
    report.files.append(FileReport(ANNOTATIONS, path.stat().st_size, dtype="text"))
    try:
        annotations = read_annotations(path)
    except DataError as error:
        report.findings.append(Finding.of(error, CATEGORIES if CATEGORIES in error.where else ANNOTATIONS))
        return None
    report.files[-1].shape = (len(annotations),)
    return annotations


def _arrays(root: Path, report: Report, tick: Tick | None) -> Iterator[tuple[str, H5Array]]:
    """Open and survey every array that is present; yield the usable ones."""
    for file in FILES:
        path = root / file.name
        if not path.is_file() or file.name == ANNOTATIONS:
            continue
        if not file.axes:
            report.files.append(FileReport(file.name, path.stat().st_size, dtype="text"))
            continue
        entry = FileReport(file.name, path.stat().st_size)
        report.files.append(entry)
        try:
            if file.role == "order":
                entry.shape = read_info(path, file.keys).shape
                if len(entry.shape) != 1 or not entry.shape[0]:
                    continue  # reported with the splits
            array = H5Array(path, keys=file.keys, axes=file.axes, pooled=file.pooled)
            entry.shape, entry.dtype, entry.storage = array.shape, str(array.info.dtype), array.info.storage
            entry.values = survey(array, quick=report.quick and len(file.axes) > 2, tick=tick)
        except DataError as error:
            report.findings.append(Finding.of(error, file.name))
            continue
        report.findings += [*check_storage(array), *check_place(array), *_check_values(entry)]
        yield file.name, array


def _check_values(file: FileReport) -> Iterator[Finding]:
    values = file.values
    assert values is not None
    if values.bad_rows and BY_NAME[file.name].role != "order":  # reported with the splits
        yield Finding(
            "error",
            file.name,
            "non-finite numbers (as float32)",
            f"{values.nan} NaN, {values.infinite} infinite, in {listed(values.bad_rows)}",
            "finite numbers",
            "extract these videos again, or remove their rows from the order files",
        )
    if BY_NAME[file.name].axes[-1] not in ("a", "v"):
        return
    if values.empty_rows:
        yield Finding(
            "warning",
            file.name,
            "all-zero rows",
            listed(values.empty_rows),
            "features of a video",
            "extract these videos again: unwritten rows are all zero; rows of silent or black videos are not",
        )
    if values.fill_rows:
        yield Finding(
            "warning",
            file.name,
            "rows that were never written",
            listed(values.fill_rows),
            "features of a video",
            "extract these videos again: these rows hold only the array's fill value",
        )
    if values.min < 0:
        yield Finding(
            "warning",
            file.name,
            "negative numbers",
            f"down to {values.min:g}",
            "numbers >= 0: AVE's features are outputs of a ReLU",
            "no action needed for features of another kind",
        )
    if file.storage == "chunked":
        yield Finding("note", file.name, "the array is chunked or compressed", "slower reading, through h5py")


def _check_sizes(arrays: dict[str, H5Array], annotations: Annotations | None) -> Iterator[Finding]:
    """Compare row counts with the annotations (negatives: with their labels), and other sizes between files."""
    negatives = arrays.get(NEGATIVE_LABELS, arrays.get(NEGATIVE_VISUAL))
    first: dict[str, tuple[str, int]] = {}
    for name, array in arrays.items():
        file = BY_NAME[name]
        if len(file.axes) < 3 or file.role == "labels":
            continue
        rows, *others = array.shape
        if file.role == "negatives":
            if negatives is not None and rows != len(negatives):
                surplus = rows > len(negatives) and NEGATIVE_LABELS in arrays
                expected = f"{len(negatives)}, as in {negatives.path.name}"
                yield _unlike(name, "negatives", rows, expected, "note" if surplus else "error")
        elif annotations is not None and rows != len(annotations):
            yield _unlike(name, "rows", rows, f"{len(annotations)}, as {ANNOTATIONS} has annotations")
        pooled = POOLED_VISUAL in arrays and (name == POOLED_VISUAL) == (VISUAL in arrays)
        if pooled and name == NEGATIVE_VISUAL and array.shape[2:4] != arrays[POOLED_VISUAL].shape[2:4]:
            yield Finding(
                "warning",
                name,
                f"negatives with a grid cannot be combined with {POOLED_VISUAL}",
                f"a {others[1]} x {others[2]} grid",
                fix=f"train without negatives: --set dataset.weak_protocol=onehot; or add {VISUAL}",
            )
        for axis, size in zip(file.axes[1:], others, strict=True):
            if pooled and axis in ("h", "w"):  # pooled features have a grid of their own
                continue
            key = name.replace("_noisy", "") if axis == "a" else axis
            known, expected_size = first.setdefault(key, (name, size))
            if size != expected_size:
                yield _unlike(name, _AXES[axis], size, f"{expected_size}, as in {known}")


def _unlike(name: str, what: str, found: object, expected: str, level: Level = "error") -> Finding:
    fix = "no action needed: the first rows are used" if level == "note" else "use files of the same data set"
    return Finding(level, name, f"wrong number of {what}", str(found), expected, fix)
