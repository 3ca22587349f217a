"""The annotation of one clip, in any of the accepted layouts, as one flag per segment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avelzoo.errors import DataError, printable

LABELS = ("label", "labels", "segments", "intervals", "events")
"""Keys of an entry's labels, in order of preference."""
BACKGROUND = {"", "background", "none", "other", "others"}
FORMS = "0 or 1 per segment, a name per segment, or [start, end] per run in seconds"


def flags(entry: Any, category: str, t: int, where: str) -> NDArray[np.bool_]:
    """(t) bool, the segments with the event.

    Args:
        entry: a clip's annotation: an object with ``category`` and ``label``, or the labels alone. Labels are a list
            or its text: 0 or 1 per segment; the category's name or a background word per segment; runs [start, end].
        category: the clip's category in the split file.
        t: number of segments.
        where: file and clip, for errors.

    Raises:
        DataError: another layout, another number of segments, another category, or a run outside the clip.

    >>> flags({"category": "bark", "label": "[0, 1, 1]"}, "bark", 3, "").astype(int).tolist()
    [0, 1, 1]
    """
    if isinstance(entry, dict):
        stated = entry.get("category", category)
        if not isinstance(stated, str) or _folded(stated) != _folded(category):
            raise DataError(
                "the annotations and the split file differ in a clip's category",
                where=where,
                found=printable(str(stated))[:80],
                expected=category,
            )
        key = next((key for key in LABELS if key in entry), None)
        if key is None:
            found = f"keys {', '.join(map(printable, list(entry)[:6]))}"
            raise DataError("a clip has no labels", where=where, found=found, expected=f"a key {' or '.join(LABELS)}")
        entry = entry[key]
    values = _listed(entry, where)
    if values and all(isinstance(value, list) for value in values):
        return _runs(values, t, where)
    if not values:
        return np.zeros(t, dtype=np.bool_)
    if len(values) != t:
        raise DataError("a clip has another number of labels", where=where, found=str(len(values)), expected=str(t))
    if all(value is None or isinstance(value, str) for value in values):
        return np.array([_is_event(value, category, where) for value in values], dtype=np.bool_)
    if all(isinstance(value, int | float) and value in (0, 1) for value in values):
        return np.array(values, dtype=np.bool_)
    raise _unknown(values, where)


def _listed(value: Any, where: str) -> list[Any]:
    """Labels as a list; a text is read as JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value.replace("'", '"').replace("None", "null"))
        except ValueError:
            raise _unknown(value, where) from None
    if not isinstance(value, list):
        raise _unknown(value, where)
    return value


def _runs(runs: Sequence[Sequence[Any]], t: int, where: str) -> NDArray[np.bool_]:
    """Segments of which a run [start, end) covers at least half."""
    found = np.zeros(t, dtype=np.bool_)
    for run in runs:
        numbers = [float(value) for value in run if isinstance(value, int | float) and not isinstance(value, bool)]
        if len(run) != 2 or len(numbers) != 2 or not 0 <= numbers[0] < numbers[1] <= t:
            text = printable(json.dumps(run))[:80]
            raise DataError("a run is no interval of the clip", where=where, found=text, expected=f"0 to {t} seconds")
        edges = np.arange(t)
        found |= np.minimum(numbers[1], edges + 1) - np.maximum(numbers[0], edges) >= 0.5 - 1e-9
    return found


def _is_event(value: str | None, category: str, where: str) -> bool:
    name = _folded(value or "")
    if name == _folded(category):
        return True
    if name in BACKGROUND:
        return False
    raise DataError(
        "a clip has events of two categories",
        where=where,
        found=printable(value or "")[:80],
        expected=f"'{category}', as in the split file, or background",
    )


def _unknown(value: Any, where: str) -> DataError:
    text = printable(value if isinstance(value, str) else json.dumps(value))
    return DataError("the labels of a clip have an unknown layout", where=where, found=text[:80], expected=FORMS)


def _folded(name: str) -> str:
    return " ".join(name.replace("_", " ").split()).casefold()
