"""Groups of videos by name, or from a file of `avelzoo data modality`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from avelzoo.errors import DataError, UsageError, did_you_mean, some
from avelzoo.metrics import Truth
from avelzoo.metrics.arrays import BoolArray
from avelzoo.metrics.groups import category_groups, modality_groups, run_length_groups

BY_NAME = {"run-length": run_length_groups, "category": category_groups}
"""Groups that need no file."""


def named_groups(word: str, truth: Truth) -> Mapping[str, BoolArray]:
    """Groups of videos: name -> (v) bool.

    Args:
        word: ``run-length``, ``category``, or a file that `avelzoo data modality` wrote.
        truth: truth of the videos.

    Raises:
        UsageError: neither a known name nor a file.
        DataError: the file is damaged, or is about other categories.
    """
    if word in BY_NAME:
        return BY_NAME[word](truth)
    path = Path(word)
    if not path.is_file():
        raise UsageError(
            f"no groups are named '{word}'" + did_you_mean(word, BY_NAME),
            expected=f"{', '.join(BY_NAME)}, or a file of `avelzoo data modality`",
        )
    led = read_modality(path)["led"]
    lacking = [name for name in truth.categories if name not in led]
    if lacking:
        raise DataError(
            "the file of modalities is about other categories",
            where=str(path),
            found=f"none of: {some(lacking)}" if len(lacking) == len(truth.categories) else f"no {some(lacking)}",
            expected="one entry per category of the data",
            fix="make the file again from the data of the runs, with `avelzoo data modality`",
        )
    return modality_groups(truth, {name: led[name] for name in truth.categories})


def read_modality(path: Path) -> dict[str, Any]:
    """Content of a file of `avelzoo data modality`.

    Raises:
        DataError: the file cannot be read, or is not such a file.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("the file of modalities cannot be read", where=str(path), found=str(error)) from error
    led = data.get("led") if isinstance(data, dict) else None
    if not isinstance(led, dict) or not all(isinstance(value, str) for value in led.values()):
        raise DataError(
            "the file does not say which modality leads a category",
            where=str(path),
            expected='an object with "led": {category: "audio-led", "visual-led" or "balanced"}',
            fix="make it with `avelzoo data modality`",
        )
    return data
