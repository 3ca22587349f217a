"""Examination of a folder in the public layout: every file, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from avelzoo.data.checking.array_checks import check_sizes, check_values
from avelzoo.data.checking.checks import check_annotations, check_orders, check_place, check_storage
from avelzoo.data.checking.findings import FileReport, Finding, Report
from avelzoo.data.checking.label_checks import check_labels
from avelzoo.data.checking.recorded import check_extracted
from avelzoo.data.checking.sources import SOURCES
from avelzoo.data.checking.status import known_marker
from avelzoo.data.facts import CHECKSUMS, is_ave
from avelzoo.data.making.pack import MANIFEST, check_packed, shard_files
from avelzoo.data.reading.annotations import Annotations
from avelzoo.data.reading.categories import CATEGORIES
from avelzoo.data.reading.checksum import sha256
from avelzoo.data.reading.event_table import read_annotated
from avelzoo.data.reading.features_record import TABLE
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.header import read_info
from avelzoo.data.reading.layout import (
    AUDIO,
    BY_NAME,
    FEATURES,
    FILES,
    MARKER,
    NEGATIVE_VISUAL,
    annotation_file,
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
_ORDER = {"error": 0, "warning": 1, "note": 2}


def work(root: Path, *, quick: bool = False) -> int:
    """Bytes that an examination will read, about."""
    sizes = [path.stat().st_size for file in FILES if (path := root / file.name).is_file()]
    sizes += [path.stat().st_size for path in shard_files(root)]
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
    report.findings += check_sizes(arrays, annotations)
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
    sums = {file.name: file.sha256 for file in report.files}
    if not quick:
        sums |= {path.relative_to(root).as_posix(): sha256(path, tick) for path in shard_files(root)}
    report.findings += check_packed(root, sums)
    report.findings += check_extracted(root, sums, packed=(root / MANIFEST).is_file())
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
    needed = [annotation_file(root), *order_files(root).values(), visual_features(root)]
    for name in needed:
        if not is_there(root / name):
            yield Finding("error", name, "the file is missing", expected=BY_NAME[name].text, fix=_get(root, name))
    if not any(is_there(root / name) for name in AUDIO.values()):
        yield Finding(
            "error",
            " or ".join(AUDIO.values()),
            "the file is missing",
            expected="audio features",
            fix=_get(root, AUDIO["vggish"]),
        )
    if not is_there(root / NEGATIVE_VISUAL):
        yield Finding(
            "note",
            NEGATIVE_VISUAL,
            "no negatives for weak training",
            fix=f"train without them: --set dataset.weak_protocol=onehot; or {_get(root, NEGATIVE_VISUAL)}",
        )


def _get(root: Path, name: str) -> str:
    if (root / FEATURES).is_file() and BY_NAME[name].role in ("annotations", "order"):
        return TABLE
    if (root / FEATURES).is_file():
        return "add the file"
    return f"add the file; AVE's: {SOURCES[name]}" if name in SOURCES else "add the file"


def _annotations(root: Path, report: Report) -> Annotations | None:
    path = root / annotation_file(root)
    if not path.is_file():
        return None
    report.files.append(FileReport(path.name, path.stat().st_size, dtype="text"))
    try:
        annotations = read_annotated(path)
    except DataError as error:
        report.findings.append(Finding.of(error, CATEGORIES if CATEGORIES in error.where else path.name))
        return None
    report.files[-1].shape = (len(annotations),)
    return annotations


def _arrays(root: Path, report: Report, tick: Tick | None) -> Iterator[tuple[str, H5Array]]:
    """Open and survey every array that is present; yield the usable ones."""
    for file in FILES:
        path = root / file.name
        if not path.is_file() or file.name == annotation_file(root):
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
        report.findings += [
            *check_storage(array),
            *check_place(array),
            *check_values(entry, extracted=(root / FEATURES).is_file()),
        ]
        yield file.name, array
