"""What is to be done with each video of a batch: to use the scores of an earlier call, or to read it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from avelzoo.errors import DataError
from avelzoo.extraction.inputs import VideoFile
from avelzoo.extraction.record import video_key
from avelzoo.extraction.video import FeatureReader
from avelzoo.localization.localizer import Localizer
from avelzoo.localization.outputs import Outputs
from avelzoo.localization.storing import load
from avelzoo.timeline.records import Localization


@dataclass(frozen=True)
class Plan:
    """A video of a batch before its turn.

    Attributes:
        video: the video.
        key: its key; empty if the file cannot be used.
        known: its scores of an earlier call; None if it must be scored.
        reader: reader of its features; None if there is nothing to read.
    """

    video: VideoFile
    key: str
    known: Localization | None
    reader: FeatureReader | None

    def start(self) -> None:
        """Begin to decode."""
        if self.reader is not None:
            self.reader.start()

    def close(self) -> None:
        """Stop decoding."""
        if self.reader is not None:
            self.reader.close()


def plan_of(localizer: Localizer, video: VideoFile, outputs: Outputs | None, mark: Mapping[str, Any]) -> Plan:
    """The plan of a video.

    Args:
        localizer: makes the reader.
        video: the video.
        outputs: folder of the results, which may have its scores; None for none.
        mark: fingerprint of everything that changes scores.
    """
    key, known = _key(video.path), None
    if outputs is not None and key:
        known = _kept(outputs.scores(video.name), video.path, key, mark)
    if known is not None or os.path.isdir(video.path):  # noqa: PTH112 - False also where permission is missing
        return Plan(video, key, known, None)
    return Plan(video, key, None, localizer.reader(video.path, start=mark["start"], duration=mark["duration"]))


def _key(path: Path) -> str:
    try:
        return video_key(path)
    except OSError:
        return ""


def _kept(path: Path, named: Path, key: str, mark: Mapping[str, Any]) -> Localization | None:
    """The result of an earlier call, if nothing that changes scores differs."""
    if not path.is_file():
        return None
    try:
        stored = load(path)
    except DataError:
        return None  # damaged by something else than this program, which writes whole files; scored again
    return replace(stored.result, path=str(named)) if stored.key == key and stored.fingerprint == mark else None
