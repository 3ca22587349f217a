"""Checks of the arrays of a folder: their numbers, and their sizes against each other."""

from __future__ import annotations

from collections.abc import Iterator

from avelzoo.data.checking.findings import FileReport, Finding, Level, listed
from avelzoo.data.reading.annotations import Annotations
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.layout import BY_NAME, NEGATIVE_LABELS, NEGATIVE_VISUAL, POOLED_VISUAL, VISUAL

_AXES = {"t": "segments", "h": "grid rows", "w": "grid columns", "v": "channels", "a": "channels"}


def check_values(file: FileReport, *, extracted: bool = False) -> Iterator[Finding]:
    """Numbers that are not finite, rows that hold none, negative features, storage that reads slowly.

    Args:
        file: the file, with its values.
        extracted: whether a record states how the features were made: any sign is right then, and zeros are no gaps.
    """
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
    if BY_NAME[file.name].axes[-1] not in ("a", "v") or extracted:
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


def check_sizes(arrays: dict[str, H5Array], annotations: Annotations | None) -> Iterator[Finding]:
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
            yield _unlike(name, "rows", rows, f"{len(annotations)}, as {annotations.path.name} has annotations")
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
