"""Groups of videos by name or from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from avelzoo.comparing.group_files import file_groups
from avelzoo.errors import UsageError, did_you_mean
from avelzoo.metrics import Truth
from avelzoo.metrics.arrays import BoolArray
from avelzoo.metrics.groups import category_groups, run_length_groups

BY_NAME = {"run-length": run_length_groups, "category": category_groups}
"""Groups that need no file."""


def named_groups(word: str, truth: Truth, video_ids: Sequence[str]) -> Mapping[str, BoolArray]:
    """Groups of videos: name -> (v) bool.

    Args:
        word: ``run-length``, ``category``, or a file that `file_groups` reads.
        truth: truth of v videos.
        video_ids: their names.

    Raises:
        UsageError: neither a known name nor a file.
        DataError: the file is damaged, or is about other categories or videos.
    """
    if word in BY_NAME:
        return BY_NAME[word](truth)
    path = Path(word)
    if not path.is_file():
        raise UsageError(
            f"no groups are named '{word}'" + did_you_mean(word, BY_NAME),
            expected=f"{', '.join(BY_NAME)}, or a file of groups",
            fix="`avelzoo data modality` writes such a file",
        )
    return file_groups(path, truth, video_ids)
