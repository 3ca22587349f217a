"""The job of a few videos, called by launchers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any

from avelzoo.errors import StorageError, UsageError, explain
from avelzoo.extraction.ahead import one_ahead
from avelzoo.extraction.journal import Journal
from avelzoo.extraction.request import Features
from avelzoo.extraction.video import FeatureReader
from avelzoo.extractors import Extractor
from avelzoo.plugin.default import add_files, default_host
from avelzoo.system.stages import StageTimes

TAIL = 0.5
"""Share of a last segment below which it is left out: 10-second clips of 10.2 seconds have ten segments, not eleven."""
CALL = f"{__name__}:extract_videos"

_on_finished: ContextVar[Callable[[str], None] | None] = ContextVar("_on_finished", default=None)


@contextmanager
def calling(on_finished: Callable[[str], None]) -> Iterator[None]:
    """In this block, jobs of this process call ``on_finished`` with the key of each video that has its record."""
    token = _on_finished.set(on_finished)
    try:
        yield
    finally:
        _on_finished.reset(token)


def extract_videos(
    out: str, videos: Sequence[Mapping[str, str]], features: Mapping[str, Any], plugins: Sequence[str]
) -> dict[str, float]:
    """Extract videos one after another; each ends as a record in the journal, extracted or failed.

    While a video is extracted, the next one is already being decoded.

    Args:
        out: output folder.
        videos: ``key`` and ``path`` of each video.
        features: fields of `Features`.
        plugins: single-file plugins of the extraction.

    Returns:
        Busy seconds by stage.

    Raises:
        StorageError: a record cannot be written; finished videos stay.
        UsageError: an extractor or a decoder is not installed here.
    """
    add_files(plugins, default_host())
    visual, audio = _extractors(json.dumps(features, sort_keys=True))
    journal, settings, times = Journal(Path(out)), Features(**features), StageTimes()
    duration = None if settings.segments is None else settings.segments * settings.seconds
    readers = (
        FeatureReader(Path(video["path"]), visual, audio, seconds=settings.seconds, duration=duration, tail=TAIL)
        for video in videos
    )
    started = one_ahead(readers, FeatureReader.start, FeatureReader.close)
    with closing(started):
        for video, reader in zip(videos, started, strict=True):
            _extract(journal, video["key"], reader)
            times.merge(reader.times.seconds)
            if (finished := _on_finished.get()) is not None:
                finished(video["key"])
    return times.seconds


def _extract(journal: Journal, key: str, reader: FeatureReader) -> None:
    """Store a video's features; an error of this video alone becomes its record."""
    try:
        journal.store(key, reader.path, reader)
    except (StorageError, UsageError):
        raise
    except Exception as error:  # noqa: BLE001 - no video may stop the rest
        journal.fail(key, failure(error))


def failure(error: BaseException) -> str:
    """An error in one line."""
    known = explain(error)
    return known.problem + (f" ({known.found})" if known.found else "")


@lru_cache(maxsize=1)
def _extractors(features: str) -> tuple[Extractor, Extractor]:
    """The extractors of these settings; kept for the next job in the same process."""
    return Features(**json.loads(features)).build(default_host().registry)
