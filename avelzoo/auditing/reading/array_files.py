"""npz and npy files, and the predictions of a run folder."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from avelzoo.auditing.reading.columnar import from_arrays
from avelzoo.auditing.reading.entries import Entry, PredictionFile, fault
from avelzoo.errors import reason

PREDICTIONS = "predictions.h5"
"""File of a run folder with the predictions for val and test."""


def read_npz(path: Path) -> PredictionFile:
    """Read arrays by name, or the only array of an npy file; Python objects are refused.

    Raises:
        DataError: the file is missing, damaged, or holds other arrays.
    """
    try:
        with path.open("rb") as file:
            single = file.read(6) == b"\x93NUMPY"
        if not single and not zipfile.is_zipfile(path):
            raise fault(
                path,
                "",
                "a file of arrays is damaged",
                found=f"{path.stat().st_size:,} bytes that are neither npz nor npy",
                fix="write the file again",
            )
        loaded = np.load(path, allow_pickle=False)
        if single:
            return from_arrays(path, "npy", {"scores" if loaded.ndim == 3 else "segments": loaded})
        with loaded:
            arrays = {name: loaded[name] for name in loaded.files}
    except (ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        objects = "allow_pickle" in str(error)
        raise fault(
            path,
            "",
            "a file of arrays holds Python objects" if objects else "a file of arrays is damaged",
            found="an array of type object" if objects else str(error),
            expected="an npz or npy file of numbers or text",
            fix="store numbers, or text as numpy.array(names, dtype=str)" if objects else "write the file again",
        ) from None
    except OSError as error:
        raise fault(path, "", f"a prediction file cannot be read: {reason(error)}") from None
    return from_arrays(path, "npz", arrays)


def read_run(path: Path, split: str) -> PredictionFile:
    """Read the predictions of a run folder of avelzoo, or its predictions.h5.

    Raises:
        RunError: the file is missing or damaged, or has no predictions for this split.
    """
    from avelzoo.metrics.stored import load_predictions

    file = path / PREDICTIONS if path.is_dir() else path
    names, found, truth = load_predictions(file, split)
    words = (*truth.categories, "Background")
    entries = tuple(
        Entry(
            where=f"video {i} of {split}",
            video=name,
            segments=tuple(words[one] for one in found.segments[i, :length].tolist()),
            category=words[found.category[i]],
            relevance=found.relevance[i, :length].astype(np.float64),
        )
        for i, (name, length) in enumerate(zip(names, truth.lengths.tolist(), strict=True))
    )
    return PredictionFile(path=file, format="run", entries=entries, composition=_composition(file.parent))


def _composition(folder: Path) -> dict[str, Any]:
    """Content of a run folder's composition.json; empty if it is unknown."""
    try:
        found = json.loads((folder / "composition.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
