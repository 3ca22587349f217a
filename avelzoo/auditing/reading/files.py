"""Format of a prediction file, and its reader."""

from __future__ import annotations

from pathlib import Path

from avelzoo.auditing.reading.array_files import PREDICTIONS, read_npz, read_run
from avelzoo.auditing.reading.entries import FORMS, PredictionFile, fault
from avelzoo.auditing.reading.json_files import read_json
from avelzoo.auditing.reading.score_tables import SUFFIXES, read_scores
from avelzoo.auditing.reading.tables import read_csv, table_lines
from avelzoo.errors import OptionError

FORMATS = ("auto", "jsonl", "csv", "npz", "tsv", "run")
_BY_SUFFIX = {".jsonl": "jsonl", ".json": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".npz": "npz", ".npy": "npz"}
_BY_SUFFIX |= {".h5": "run", ".hdf5": "run"}


def read_predictions(path: Path, *, format: str = "auto", split: str, seconds: float) -> PredictionFile:  # noqa: A002
    """Read a prediction file in any of the formats.

    Args:
        path: file; or folder: a run folder, or one of score tables.
        format: one of `FORMATS`; ``auto`` decides by the name, then by the first bytes.
        split: split of a run folder.
        seconds: length of a segment, for score tables.

    Raises:
        OptionError: an unknown format.
        DataError: the file is missing, damaged, or has an unknown form.
    """
    if format not in FORMATS:
        raise OptionError(f"unknown format '{format}'", where="--format", expected=", ".join(FORMATS))
    if not path.exists():
        raise fault(path, "", "a prediction file is missing", fix="correct the path")
    kind = _guess(path) if format == "auto" else format
    if path.is_dir() and kind not in ("run", "tsv"):
        raise fault(path, "", "a folder instead of a prediction file", expected="a file, a run folder or score tables")
    if kind == "run":
        return read_run(path, split)
    if kind == "tsv":
        return read_scores(path, seconds)
    found = {"jsonl": read_json, "csv": read_csv, "npz": read_npz}[kind](path)
    if not found.entries:
        raise fault(path, "", "a prediction file is empty", expected=FORMS)
    return found


def is_run(path: Path) -> bool:
    """Whether a path is a run folder of avelzoo, or its predictions, which hold the labels too."""
    return (path.is_dir() and (path / PREDICTIONS).is_file()) or path.name == PREDICTIONS


def _guess(path: Path) -> str:
    if path.is_dir():
        if any((path / name).is_file() for name in (PREDICTIONS, "composition.json")):
            return "run"
        if any(path.glob("*.tsv")):
            return "tsv"
        raise fault(
            path,
            "",
            "a folder holds no predictions",
            expected=f"a run folder with {PREDICTIONS}, or score tables VIDEO.scores.tsv",
        )
    if path.suffix.lower() in (".tsv", ".txt") or path.name.endswith(SUFFIXES):
        names = [name.strip().lower() for name in table_lines(path)[0][1]]
        return "tsv" if "onset" in names[:2] else "csv"
    if path.suffix.lower() in _BY_SUFFIX:
        return _BY_SUFFIX[path.suffix.lower()]
    with path.open("rb") as file:
        head = file.read(512)
    if head.startswith((b"PK\x03\x04", b"\x93NUMPY")):
        return "npz"
    if head.startswith(b"\x89HDF"):
        return "run"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return "jsonl"
    raise fault(
        path, "", "the format of a prediction file is unknown", found=repr(head[:40]), expected=FORMS,
        fix="choose it with --format",
    )  # fmt: skip
