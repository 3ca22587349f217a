"""The journal of an extraction: finished videos are never extracted twice, and nothing half-written is ever read.

The promise, for the folder ``journal`` in the output folder:

- ``manifest.json`` holds the fingerprint of everything that changes numbers: the recipes of both extractors, the length
  of a segment and the largest number of segments. An extraction with another fingerprint is refused. Launcher, shard,
  device, table and splits are not part of it.
- Each video has one record, ``videos/KEY.json``. KEY is made of the file's path, size and time of modification (or of
  its content alone), so a changed file is a new video. The record of an extracted video is written after its features,
  ``videos/KEY.f32``, and holds their checksum. Files are written under another name, flushed to disk and renamed.
- The record of a failed video holds the reason. It is kept, so the video is tried again only on request.
- So a kill at any moment loses the videos in progress, one per process. The final files are made from records and the
  list of videos alone: they do not depend on kills, the order of completion, the number of processes or shards.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from avelzoo.data.reading.features_record import JOURNAL
from avelzoo.errors import DataError, reason
from avelzoo.extraction.manifest import begin_manifest
from avelzoo.extraction.record import Record, file_state
from avelzoo.extraction.video import Block, FeatureReader, require_segments
from avelzoo.system.files import SCRATCH, storage_error, write_json, write_whole
from avelzoo.system.stages import BACKBONE, WRITING, StageTimes

VIDEOS = "videos"
_STEP = 32 << 20


class Journal:
    """Records and features of the videos of one output folder.

    Args:
        out: output folder of the extraction.
    """

    def __init__(self, out: Path) -> None:
        self.path = out / JOURNAL
        self._videos = self.path / VIDEOS

    def begin(self, fingerprint: Mapping[str, Any]) -> None:
        """Make the journal, or check that an earlier one has this fingerprint.

        Raises:
            UsageError: the journal belongs to another extraction, or the folder holds other files.
            StorageError: the folder cannot be written.
        """
        begin_manifest(self.path, fingerprint)
        try:
            self._videos.mkdir(exist_ok=True)
        except OSError as error:
            raise storage_error(error, self._videos) from error

    def clear(self) -> None:
        """Remove what killed processes left. Only while no other process writes into the journal."""
        for path in self._videos.glob(f".*{SCRATCH}"):
            shutil.rmtree(path, ignore_errors=True)
        for path in self._videos.glob("*-*.f32"):
            path.unlink(missing_ok=True)

    def record(self, key: str) -> Record | None:
        """The record of a video; None if there is none, or its features are missing."""
        try:
            data = json.loads((self._videos / f"{key}.json").read_text("utf-8"))
            for name in ("audio", "visual", "notices"):
                data[name] = tuple(data[name])
            found = Record(key=key, **data)
            size = None if found.failed else self._features(key).stat().st_size
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if size in (None, 4 * found.segments * found.width) else None

    def forget(self, key: str) -> None:
        """Remove the record of a video, so that it is extracted again.

        Raises:
            StorageError: the record cannot be removed.
        """
        path = self._videos / f"{key}.json"
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, path) from error

    def fail(self, key: str, reason: str) -> Record:
        """Record a failure.

        Raises:
            StorageError: the record cannot be written.
        """
        return self._keep(Record(key=key, status="failed", reason=reason))

    def store(self, key: str, path: Path, reader: FeatureReader) -> Record:
        """Extract a video and record it, holding a few segments at a time.

        Args:
            key: key of the video.
            path: its file.
            reader: reader of its features; its times get that of writing.

        Raises:
            DataError: the video cannot be read, or changed meanwhile.
            StorageError: the features or the record cannot be written.
        """
        digest, shapes, count = hashlib.sha256(), ((0,), (0,)), 0
        own = self._videos / f"{key}-{os.getpid()}.f32"  # no other process writes this file
        began, reading = time.perf_counter(), StageTimes()

        def write(scratch: Path) -> None:
            nonlocal shapes, count
            with scratch.open("wb") as file:
                for block in reading.iterate(BACKBONE, _readable(path, reader)):
                    rows = _rows(block)
                    digest.update(rows.data)
                    file.write(rows.data)
                    count += len(rows)
                    shapes = (block.audio.shape[1:], block.visual.shape[1:])

        write_whole(own, write)
        try:
            require_segments(path, count)
            if file_state(path) != reader.state:
                raise DataError("the file changed while it was read", where=str(path), fix="repeat the command")
            own.replace(self._features(key))
        except OSError as error:
            raise storage_error(error, own) from error
        finally:
            own.unlink(missing_ok=True)
        report = reader.report
        record = self._keep(
            Record(
                key=key,
                status=report.status,
                reason=report.reason,
                duration=round(float(report.duration), 6),
                segments=count,
                audio=shapes[0],
                visual=shapes[1],
                notices=tuple(report.notices),
                sha256=digest.hexdigest(),
            )
        )
        reader.times.add(WRITING, time.perf_counter() - began - reading.seconds[BACKBONE])
        return record

    def features(self, record: Record) -> Iterator[Block]:
        """Features of a video in blocks.

        Raises:
            DataError: the features are damaged; the record is removed, so the video will be extracted again.
        """
        digest, path = hashlib.sha256(), self._features(record.key)
        split = int(np.prod(record.audio))
        step = max(1, _STEP // (4 * record.width))
        stored = np.memmap(path, np.dtype("<f4"), "r", shape=(record.segments, record.width))
        for start in range(0, record.segments, step):
            rows = np.array(stored[start : start + step])
            digest.update(rows.data)
            audio, visual = rows[:, :split], rows[:, split:]
            yield Block(audio.reshape(-1, *record.audio), visual.reshape(-1, *record.visual))
        if digest.hexdigest() != record.sha256:
            with suppress(OSError):
                (self._videos / f"{record.key}.json").unlink()
            raise DataError(
                "the features of a video in the journal are damaged",
                where=str(path),
                fix="repeat the command; only this video is extracted again",
            )

    def _features(self, key: str) -> Path:
        return self._videos / f"{key}.f32"

    def _keep(self, record: Record) -> Record:
        data = {name: value for name, value in vars(record).items() if name != "key"}
        own = self._videos / f"{record.key}-{os.getpid()}.json"
        write_json(own, data)
        try:
            own.replace(self._videos / f"{record.key}.json")
        except OSError as error:
            raise storage_error(error, own) from error
        return record


def _readable(path: Path, reader: Iterable[Block]) -> Iterator[Block]:
    """The blocks; errors of the system while reading become DataErrors, apart from those of writing."""
    try:
        yield from reader
    except OSError as error:
        raise DataError(f"the video cannot be read: {reason(error)}", where=str(path)) from error


def _rows(block: Block) -> np.ndarray:
    audio, visual = (np.asarray(part, np.dtype("<f4")).reshape(len(part), -1) for part in (block.audio, block.visual))
    return np.concatenate([audio, visual], axis=1)
