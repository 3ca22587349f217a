"""Arrays of a whole split: segments (v t) or scores (v t c), with or without names of the videos."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from avelzoo.auditing.reading.entries import Entry, PredictionFile, fault, shown_keys
from avelzoo.auditing.reading.values import first_infinite, label, row_number, video_name

KEYS: Mapping[str, tuple[str, ...]] = {
    "rows": ("rows", "row"),
    "video": ("video_ids", "videos", "video", "ids", "names"),
    "segments": ("segments", "labels", "predictions", "pred", "preds"),
    "scores": ("scores", "logits", "probs", "probabilities"),
    "category": ("category", "categories_of_videos", "events"),
    "relevance": ("relevance",),
    "columns": ("categories", "classes"),
}
"""Part -> accepted names of its array."""


def from_arrays(path: Path, kind: str, arrays: Mapping[str, Any], *, default: str = "") -> PredictionFile:
    """Entries of arrays by name.

    Args:
        path: the file.
        kind: its format.
        arrays: name -> array or nested lists.
        default: name of the only array of a file without names.

    Raises:
        DataError: no array of segments or scores, or an array of another form.
    """
    stop = partial(fault, path, "")
    found: dict[str, Any] = {}
    for name, value in arrays.items():
        part = next((part for part, names in KEYS.items() if (default or name).lower() in names), None)
        if part in found:
            raise stop(f"two arrays may hold the {part}", found=shown_keys(list(arrays)))
        if part:
            found[part] = _array(value, partial(fault, path, f"array '{name}'"))
    main = next((part for part in ("segments", "scores") if part in found), None)
    if main is None:
        raise stop(
            "a file of arrays has no predictions",
            found=shown_keys(list(arrays)),
            expected="an array 'segments' (v t) of ids, or 'scores' (v t n+1)",
        )
    array = found[main]
    if main == "segments" and array.ndim == 3:
        main = "scores"
    if array.ndim != {"segments": 2, "scores": 3}[main] or not array.size:
        raise stop(
            f"an array has the wrong shape: {main}", found=str(array.shape), expected="(v t) ids or (v t n+1) scores"
        )
    _check(main, array, path)
    beside = {part: found[part] for part in ("rows", "video", "category", "relevance") if part in found}
    for part, values in beside.items():
        if len(values) != len(array) or values.ndim != 1 + (part == "relevance"):
            raise stop(
                f"two arrays differ in their number of videos: {main} and {part}",
                found=f"{array.shape} and {values.shape}",
                fix="if the arrays are transposed, store numpy.swapaxes(array, 0, 1)",
            )
    if "relevance" in beside:
        _check("relevance", beside["relevance"], path)
    columns = tuple(map(str, found["columns"].tolist())) if "columns" in found and found["columns"].ndim == 1 else None
    entries = []
    for i, values in enumerate(array):
        where = f"video {i} of array '{main}'"
        at = partial(fault, path, where)
        entries.append(
            Entry(
                where=where,
                row=row_number(beside["rows"][i].item(), at) if "rows" in beside else None,
                video=video_name(beside["video"][i].item(), at) if "video" in beside else None,
                segments=tuple(label(one, at) for one in values.tolist()) if main == "segments" else None,
                scores=values.astype(np.float64) if main == "scores" else None,
                category=label(beside["category"][i].item(), at) if "category" in beside else None,
                relevance=beside["relevance"][i].astype(np.float64) if "relevance" in beside else None,
            )
        )
    return PredictionFile(path=path, format=kind, entries=tuple(entries), columns=columns)


def _array(value: Any, stop: Any) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError:
        raise stop("an array has rows of unequal length", expected="the same number of segments everywhere") from None
    if array.dtype.kind not in "biufSU":
        raise stop("an array holds Python objects", found=f"type {array.dtype}", expected="numbers or text")
    return np.char.decode(array, "utf-8", "replace") if array.dtype.kind == "S" else array


def _check(part: str, array: np.ndarray, path: Path) -> None:
    if array.dtype.kind not in _KINDS[part]:
        raise fault(path, "", f"an array has the wrong type: {part}", found=str(array.dtype), expected="numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise fault(
            path,
            f"video {np.argwhere(~np.isfinite(array))[0][0]} of array '{part}'",
            f"an array holds NaN or infinity: {part}",
            found=first_infinite(array),
            expected="finite numbers",
        )


_KINDS = {"segments": "iufU", "scores": "iufb", "relevance": "iufb"}
"""Part -> kinds of its types, as NumPy abbreviates them."""
