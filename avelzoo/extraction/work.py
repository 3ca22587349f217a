"""The job of a few videos, called by launchers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from avelzoo.errors import StorageError, UsageError, explain
from avelzoo.extraction.journal import Journal
from avelzoo.extraction.request import Features
from avelzoo.extraction.video import FeatureReader
from avelzoo.extractors import Extractor
from avelzoo.plugin.default import add_files, default_host

TAIL = 0.5
"""Share of a last segment below which it is left out: 10-second clips of 10.2 seconds have ten segments, not eleven."""
CALL = f"{__name__}:extract_videos"


def extract_videos(
    out: str, videos: Sequence[Mapping[str, str]], features: Mapping[str, Any], plugins: Sequence[str]
) -> int:
    """Extract videos one after another; each ends as a record in the journal, extracted or failed.

    Args:
        out: output folder.
        videos: ``key`` and ``path`` of each video.
        features: fields of `Features`.
        plugins: single-file plugins of the extraction.

    Returns:
        Number of videos.

    Raises:
        StorageError: a record cannot be written; finished videos stay.
        UsageError: an extractor or a decoder is not installed here.
    """
    add_files(plugins, default_host())
    visual, audio = _extractors(json.dumps(features, sort_keys=True))
    journal, settings = Journal(Path(out)), Features(**features)
    duration = None if settings.segments is None else settings.segments * settings.seconds
    for video in videos:
        path = Path(video["path"])
        try:
            reader = FeatureReader(path, visual, audio, seconds=settings.seconds, duration=duration, tail=TAIL)
            journal.store(video["key"], path, reader)
        except (StorageError, UsageError):
            raise
        except Exception as error:  # noqa: BLE001 - no video may stop the rest
            journal.fail(video["key"], failure(error))
    return len(videos)


def failure(error: BaseException) -> str:
    """An error in one line."""
    known = explain(error)
    return known.problem + (f" ({known.found})" if known.found else "")


@lru_cache(maxsize=1)
def _extractors(features: str) -> tuple[Extractor, Extractor]:
    """The extractors of these settings; kept for the next job in the same process."""
    return Features(**json.loads(features)).build(default_host().registry)
