"""Scores of a video in a file, from which events are decided again without inference. Needs no torch."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from avelzoo.errors import DataError, first_line
from avelzoo.localization.deciding import Rule
from avelzoo.system.files import write_bytes
from avelzoo.timeline.records import Localization, SegmentScores

SUFFIX = ".npz"
FORMAT = 1
_ARRAYS = ("relevance", "category_scores", "segments")
_OPTIONAL = ("audio_scores", "visual_scores", "audio_share", "visual_share")


@dataclass(frozen=True)
class Stored:
    """A scored video.

    Attributes:
        result: the result before a decision: scores, status, notices; no events.
        own: the system's own rule, whose ids are stored.
        key: key of the video file.
        fingerprint: everything that changes the scores.
    """

    result: Localization
    own: Rule
    key: str
    fingerprint: Mapping[str, Any]


def save(path: Path, stored: Stored) -> None:
    """Write a scored video, whole or not at all.

    Raises:
        StorageError: the file cannot be written.
    """
    result, scores = stored.result, stored.result.scores
    assert scores is not None, "only scored videos are stored"
    record = {
        "format": FORMAT,
        "key": stored.key,
        "fingerprint": stored.fingerprint,
        "own": {"words": stored.own.words, "threshold": stored.own.threshold},
        "file": result.path,
        "status": result.status,
        "reason": result.reason,
        "duration": result.duration,
        "notices": result.notices,
        "preference": result.preference,
        "categories": scores.categories,
        "seconds_per_segment": scores.seconds_per_segment,
        "start": scores.start,
        "window": scores.window,
        "hop": scores.hop,
    }
    arrays = {name: getattr(scores, name) for name in (*_ARRAYS, *_OPTIONAL)}
    content = BytesIO()
    text = np.frombuffer(json.dumps(record).encode(), dtype=np.uint8)
    np.savez(content, record=text, **{name: value for name, value in arrays.items() if value is not None})
    write_bytes(path, content.getvalue())


def load(path: Path) -> Stored:
    """Inverse of `save`.

    Raises:
        DataError: the file is missing, damaged or of a later version.
    """
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        record = json.loads(arrays.pop("record").tobytes())
        if record["format"] != FORMAT:
            raise DataError(
                "unsupported format of stored scores",
                where=str(path),
                found=f"format {record['format']}",
                expected=f"format {FORMAT}",
                fix="predict again, or use the version of avelzoo that wrote the file",
            )
        scores = SegmentScores(
            categories=tuple(record["categories"]),
            seconds_per_segment=record["seconds_per_segment"],
            start=record["start"],
            window=record["window"],
            hop=record["hop"],
            **arrays,
        )
        result = Localization(
            path=record["file"],
            status=record["status"],
            reason=record["reason"],
            duration=record["duration"],
            scores=scores,
            notices=tuple(record["notices"]),
            preference=record["preference"],
        )
        return Stored(result, Rule(**record["own"]), record["key"], record["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            "stored scores cannot be read", where=str(path), found=first_line(error), fix="predict the video again"
        ) from error
