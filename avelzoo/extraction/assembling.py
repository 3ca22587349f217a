"""The final files of a data folder, made from the journal alone, so the same whatever happened before."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from avelzoo.data.making.folder import need_space
from avelzoo.data.reading.categories import CATEGORIES
from avelzoo.data.reading.checksum import sha256
from avelzoo.data.reading.features_record import JOURNAL, FeatureSource, FeaturesRecord
from avelzoo.data.reading.layout import ANNOTATIONS, AUDIO, EVENTS, FEATURES, ORDERS, VISUAL
from avelzoo.extraction.journal import Journal
from avelzoo.extraction.labels import LabelledRows, write_labels
from avelzoo.extraction.record import Record
from avelzoo.system.files import storage_error, write_bytes, write_json

KEY = "avadataset"
VIDEOS = "videos.csv"
"""How each video was read."""
DRAFT = ".assembling"
ASSEMBLED = "assembled.json"


@dataclass(frozen=True, kw_only=True)
class Content:
    """Everything that the final files depend on.

    Attributes:
        rows: record of the video of each row.
        labelled: labels of the rows; None for a folder of features alone.
        seconds: length of a segment.
        visual: origin of the visual features.
        audio: origin of the audio features.
        videos: name and record of every video, failed ones included.
    """

    rows: Sequence[Record]
    labelled: LabelledRows | None
    seconds: float
    visual: FeatureSource
    audio: FeatureSource
    videos: Mapping[str, Record]

    def digest(self) -> str:
        """Checksum of all of it."""
        labels = None if self.labelled is None else asdict(self.labelled)
        parts: list[Any] = [labels, self.seconds, asdict(self.visual), asdict(self.audio)]
        parts += [[asdict(row) for row in self.rows], {name: asdict(one) for name, one in self.videos.items()}]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def assemble(out: Path, journal: Journal, content: Content) -> bool:
    """Write the final files; returns whether they had to be written.

    They are made in a folder of their own and then moved, features.json last: without it, the folder is not read.

    Args:
        out: output folder; no other process works in it.
        journal: its journal.
        content: what to write.

    Raises:
        DataError: features in the journal are damaged.
        StorageError: no space, no permission.
    """
    digest = content.digest()
    if _is_assembled(out, digest):
        return False
    draft = out / DRAFT
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        t = max(row.segments for row in content.rows)
        need_space(out, 4 * t * content.rows[0].width * len(content.rows), "choose another disk with --out")
        _write_features(draft, journal, content.rows, t)
        if content.labelled is not None:
            write_labels(draft, content.labelled, content.seconds)
        _write_videos(draft / VIDEOS, content.videos)
        _record(draft, content).write(draft)
        _publish(draft, out)
        write_json(out / JOURNAL / ASSEMBLED, {"digest": digest, "files": _sizes(out)})
    except OSError as error:
        raise storage_error(error, out) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return True


def _is_assembled(out: Path, digest: str) -> bool:
    try:
        earlier = json.loads((out / JOURNAL / ASSEMBLED).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(earlier == {"digest": digest, "files": _sizes(out)})


def _sizes(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in sorted(out.iterdir()) if path.is_file()}


def _write_features(draft: Path, journal: Journal, rows: Sequence[Record], t: int) -> None:
    """Write both feature files row by row, contiguous, float32; padding is zeros."""
    from avelzoo.extraction.arrays import ArrayFile

    audio, visual = rows[0].audio, rows[0].visual
    with (
        ArrayFile(draft / AUDIO["vggish"], KEY, (len(rows), t, *audio)) as heard,
        ArrayFile(draft / VISUAL, KEY, (len(rows), t, *visual)) as seen,
    ):
        for row in rows:
            for block in journal.features(row):
                heard.append(block.audio)
                seen.append(block.visual)
            heard.skip((t - row.segments) * math.prod(audio))
            seen.skip((t - row.segments) * math.prod(visual))


def _write_videos(path: Path, videos: Mapping[str, Record]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["video", "status", "segments", "duration", "reason", "notices"])
    for name, one in videos.items():
        notices = [notice for notice in one.notices if notice not in one.reason]
        writer.writerow([name, one.status, one.segments, one.duration, one.reason, "; ".join(notices)])
    write_bytes(path, text.getvalue().encode(errors="surrogateescape"))


def _record(draft: Path, content: Content) -> FeaturesRecord:
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in sorted(draft.iterdir())
        if path.is_file()
    }
    return FeaturesRecord(
        seconds=content.seconds,
        visual=content.visual,
        audio=content.audio,
        categories=content.labelled.categories if content.labelled else (),
        files=files,
    )


def _publish(draft: Path, out: Path) -> None:
    (out / FEATURES).unlink(missing_ok=True)
    for name in (ANNOTATIONS, EVENTS, CATEGORIES, *ORDERS.values()):
        if not (draft / name).exists():
            (out / name).unlink(missing_ok=True)
    for path in sorted(draft.iterdir(), key=lambda path: path.name == FEATURES):
        path.replace(out / path.name)
