"""features.json: how the features of a folder were made, so that features of two recipes are never mixed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from avelzoo.data.reading.layout import FEATURES
from avelzoo.errors import DataError, first_line, reason
from avelzoo.system.files import write_json

FORMAT = 1
JOURNAL = "journal"
"""Folder of an extraction's partial results, inside the data folder."""
MANIFEST = "manifest.json"
"""Fingerprint of an extraction, in its journal."""
AGAIN = "write the folder again with `avelzoo extract`"

TABLE = "repeat the `avelzoo extract` command with --table FILE.csv; no video is extracted again"
"""How a folder of features alone gets labels and splits."""


@dataclass(frozen=True, kw_only=True)
class FeatureSource:
    """Origin of the features of one modality.

    Attributes:
        file: file name of the features.
        extractor: name of the extractor.
        options: its options.
        recipe: everything that changes the numbers.
        recipe_id: short identity of the recipe.
    """

    file: str
    extractor: str
    options: Mapping[str, Any]
    recipe: Mapping[str, Any]
    recipe_id: str


@dataclass(frozen=True, kw_only=True)
class FeaturesRecord:
    """Content of features.json.

    Attributes:
        seconds: length of a segment.
        visual: origin of the visual features.
        audio: origin of the audio features.
        categories: event names, by id; empty for a folder without labels.
        files: size and SHA-256 of every file that `avelzoo extract` wrote, by name.
    """

    seconds: float
    visual: FeatureSource
    audio: FeatureSource
    categories: tuple[str, ...]
    files: Mapping[str, Mapping[str, Any]]

    def extraction(self) -> dict[str, Any]:
        """The part that a run keeps: how to extract features for its model."""
        return {"seconds": self.seconds, "visual": asdict(self.visual), "audio": asdict(self.audio)}

    def write(self, folder: Path) -> None:
        """Write features.json.

        Raises:
            StorageError: the file cannot be written.
        """
        data = {"format": FORMAT} | self.extraction() | {"categories": list(self.categories), "files": self.files}
        write_json(folder / FEATURES, data)


def read_features_record(root: Path) -> FeaturesRecord | None:
    """Read a folder's features.json; None for folders made elsewhere.

    Raises:
        DataError: the record is damaged or of a later version, or the extraction is not finished.
    """
    path = root / FEATURES
    if not os.path.lexists(path):
        if (root / JOURNAL / MANIFEST).exists():
            raise DataError(
                "the extraction into this folder is not finished",
                where=str(root),
                found=f"a journal, no {FEATURES}",
                fix="repeat the `avelzoo extract` command; finished videos are not extracted again",
            )
        return None
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["format"] != FORMAT:
            raise DataError(
                f"unsupported format of {FEATURES}",
                where=str(path),
                found=f"format {data['format']}",
                expected=f"format {FORMAT}",
                fix=f"{AGAIN}, or use the version of avelzoo that wrote it",
            )
        record = FeaturesRecord(
            seconds=float(data["seconds"]),
            visual=FeatureSource(**data["visual"]),
            audio=FeatureSource(**data["audio"]),
            categories=tuple(data["categories"]),
            files=dict(data["files"]),
        )
    except OSError as error:
        raise DataError(f"{FEATURES} cannot be read: {reason(error)}", where=str(path)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{FEATURES} is damaged", where=str(path), found=first_line(error), fix=AGAIN) from error
    return record
