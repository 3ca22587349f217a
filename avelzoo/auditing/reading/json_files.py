"""JSON lines, one JSON array, or one JSON object."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from avelzoo.auditing.reading.columnar import from_arrays
from avelzoo.auditing.reading.entries import FORMS, NAMES, Entry, PredictionFile, fault, occur, part_of, shown_keys
from avelzoo.auditing.reading.values import label, numbers, row_number, video_name
from avelzoo.data.reading.categories import read_text
from avelzoo.errors import some

_BROKEN = "the file may be truncated; write it again"


class _RepeatedKeyError(ValueError):
    pass


def read_json(path: Path) -> PredictionFile:
    """Read JSON lines, an array of entries, a mapping from video to segments, or an object of arrays.

    Raises:
        DataError: the file is missing, not UTF-8, not JSON, or an entry has the wrong form; with its line or number.
    """
    text = read_text(path, "predictions", FORMS)
    if not text.strip():
        raise fault(path, "", "a prediction file is empty", expected=FORMS)
    try:
        document = _parse(text)
    except _RepeatedKeyError as error:
        raise fault(path, "", str(error), expected="every video once") from None
    except RecursionError:
        raise fault(path, "", "JSON is nested too deeply", expected=FORMS) from None
    except ValueError as error:
        return _lines(path, text, error)
    if isinstance(document, dict) and len(text.strip().splitlines()) == 1 and part_of_entry(document):
        return PredictionFile(path=path, format="jsonl", entries=(_entry(path, "line 1", document),))
    return _document(path, document)


def part_of_entry(document: Mapping[str, Any]) -> bool:
    """Whether a JSON object is the entry of one video, not a collection of videos."""
    values = [document[key] for key in document if key.lower() in (*NAMES["row"], *NAMES["video"])]
    return bool(values) and not any(isinstance(value, list | dict) for value in values)


def _lines(path: Path, text: str, error: ValueError) -> PredictionFile:
    entries = []
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    for number, line in lines:
        where = f"line {number}"
        try:
            value = _parse(line)
        except _RepeatedKeyError as repeated:
            raise fault(path, where, str(repeated), expected="every key once") from None
        except RecursionError:
            raise fault(path, where, "JSON is nested too deeply", expected=FORMS) from None
        except ValueError as broken:
            said = error if number == 1 and not isinstance(error, UnicodeError) else broken
            at = getattr(said, "lineno", number) if number == 1 else number
            raise fault(
                path, f"line {at}", f"a line is not JSON: {_said(said)}", found=_line(text, at), fix=_BROKEN
            ) from None
        entries.append(_entry(path, where, value))
    return PredictionFile(path=path, format="jsonl", entries=tuple(entries))


def _document(path: Path, document: Any) -> PredictionFile:
    if isinstance(document, dict):
        keys = {part: part_of(list(document), part, partial(fault, path, "")) for part in ("segments", "scores")}
        if any(isinstance(document.get(key), list) for key in keys.values() if key):
            return from_arrays(path, "json", document)
        pairs = document.items()
        if not document or not all(isinstance(value, list | dict) for value in document.values()):
            raise fault(
                path, "", "a JSON object has the wrong form", found=shown_keys(list(document)),
                expected='{"VIDEO": ["Church bell", ...], ...} or {"video_ids": [...], "segments": [[...], ...]}',
            )  # fmt: skip
        entries = [_named(path, name, value) for name, value in pairs]
        return PredictionFile(path=path, format="json", entries=tuple(entries))
    if isinstance(document, list):
        if document and all(isinstance(value, list) for value in document):
            return from_arrays(path, "json", {"segments": document})
        entries = [_entry(path, f"entry {number}", value) for number, value in enumerate(document, 1)]
        return PredictionFile(path=path, format="json", entries=tuple(entries))
    raise fault(path, "", "a JSON file has the wrong form", found=type(document).__name__, expected=FORMS)


def _named(path: Path, name: str, value: Any) -> Entry:
    where = f"key '{name}'"
    whole = value if isinstance(value, dict) else {"segments": value}
    if any(key.lower() in NAMES["video"] for key in whole):
        return _entry(path, where, whole)
    return _entry(path, where, {"video": name, **whole})


def _entry(path: Path, where: str, value: Any) -> Entry:
    stop = partial(fault, path, where)
    if not isinstance(value, dict):
        raise stop("an entry is not a JSON object", found=repr(value), expected=FORMS)
    keys = {part: part_of(list(value), part, lambda problem, found: stop(problem, found=found)) for part in NAMES}
    given = {part: value[key] for part, key in keys.items() if key}
    if "segments" not in given and "scores" not in given:
        raise stop("an entry has no segments", found=shown_keys(list(value)), expected='a key "segments" or "scores"')
    segments, scores = given.get("segments"), given.get("scores")
    if segments is not None and (not isinstance(segments, list) or not segments):
        raise stop("segments are not a list", found=repr(segments), expected="one value per segment")
    if segments is not None and all(isinstance(one, list) for one in segments):
        segments, scores = None, segments
    return Entry(
        where=where,
        row=row_number(given["row"], stop) if given.get("row") is not None else None,
        video=video_name(given["video"], stop) if given.get("video") is not None else None,
        segments=None if segments is None else tuple(label(one, stop) for one in segments),
        scores=numbers(scores, 2, "scores", stop) if segments is None else None,
        category=label(given["category"], stop) if given.get("category") is not None else None,
        relevance=numbers(given["relevance"], 1, "relevance", stop) if given.get("relevance") is not None else None,
    )


def _parse(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        again = [repr(key) for key, count in Counter(key for key, _ in pairs).items() if count > 1]
        raise _RepeatedKeyError(f"{occur('key', len(again))}: {some(again)}")
    return found


def _said(error: ValueError) -> str:
    return getattr(error, "msg", str(error)).lower()


def _line(text: str, number: int) -> str:
    lines = text.split("\n")
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""
