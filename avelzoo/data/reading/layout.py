"""The public layout: the files of a data folder and their purposes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from avelzoo.data.reading.categories import CATEGORIES
from avelzoo.data.reading.header import KEYS
from avelzoo.data.reading.opening import absent
from avelzoo.errors import DataError, reason

Role = Literal["annotations", "record", "order", "visual", "audio", "labels", "negatives"]
AudioKind = Literal["vggish", "cnn14"]

ANNOTATIONS = "Annotations.txt"
EVENTS = "events.csv"
"""Annotations of folders that `avelzoo extract` wrote, read if ``ANNOTATIONS`` is missing."""
FEATURES = "features.json"
"""Record of how the features were extracted."""
SPLITS = ("train", "val", "test")
ORDERS: Mapping[str, str] = {name: f"{name}_order.h5" for name in SPLITS}
TEXT_SPLITS: Mapping[str, str] = {name: f"{name}Set.txt" for name in SPLITS}
"""Annotations of each split's videos, from AVE's video archive; read if there is no order file."""
ORDER_KEYS = ("order",)
VISUAL = "visual_feature.h5"
POOLED_VISUAL = "visual_feature_vec.h5"
"""Visual features averaged over the grid, read if ``VISUAL`` is missing."""
AUDIO: Mapping[AudioKind, str] = {"vggish": "audio_feature.h5", "cnn14": "audio_cnn14.h5"}
NEGATIVE_VISUAL = "visual_feature_noisy.h5"
NEGATIVE_AUDIO: Mapping[AudioKind, str] = {"vggish": "audio_feature_noisy.h5", "cnn14": "audio_cnn14_noisy.h5"}
NEGATIVE_LABELS = "labels_noisy.h5"
VIDEO_LABELS = "mil_labels.h5"
SHARES = "prob_label.h5"
MARKER = "simulated.json"
"""Marker file of simulated folders, so that their features are not mistaken for real ones."""


@dataclass(frozen=True)
class File:
    """A file of the layout.

    Attributes:
        name: file name.
        role: kind of content.
        axes: axes of its array in the docstrings' notation, rows first; empty for text.
        text: one-line description.
        pooled: whether the two grid axes may be missing (read as a 1 x 1 grid).
    """

    name: str
    role: Role
    axes: tuple[str, ...]
    text: str
    pooled: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Accepted names of its array."""
        return ORDER_KEYS if self.role == "order" else KEYS


VISUAL_AXES = ("rows", "t", "h", "w", "v")
_AUDIO_AXES = ("rows", "t", "a")

FILES: tuple[File, ...] = (
    File(ANNOTATIONS, "annotations", (), "category, id and event of every video"),
    File(EVENTS, "annotations", (), "events of videos of any length; used without Annotations.txt"),
    File(FEATURES, "record", (), "recipes and checksums of extracted features; optional"),
    File(CATEGORIES, "annotations", (), "category names in the order of their ids; optional"),
    *(File(ORDERS[name], "order", ("videos",), f"row numbers of the {name} split") for name in SPLITS),
    *(File(TEXT_SPLITS[name], "order", (), f"videos of the {name} split; used without order files") for name in SPLITS),
    File(VISUAL, "visual", VISUAL_AXES, "VGG-19 maps"),
    File(POOLED_VISUAL, "visual", VISUAL_AXES, "pooled VGG-19 maps; used without the maps", pooled=True),
    File(AUDIO["vggish"], "audio", _AUDIO_AXES, "VGGish features"),
    File(AUDIO["cnn14"], "audio", _AUDIO_AXES, "CNN14 features"),
    File(NEGATIVE_VISUAL, "negatives", VISUAL_AXES, "VGG-19 maps of the negatives"),
    File(NEGATIVE_AUDIO["vggish"], "negatives", _AUDIO_AXES, "VGGish features of the negatives"),
    File(NEGATIVE_AUDIO["cnn14"], "negatives", _AUDIO_AXES, "CNN14 features of the negatives"),
    File(NEGATIVE_LABELS, "negatives", ("rows", "n+1"), "video labels of the negatives: background"),
    File("labels.h5", "labels", ("rows", "t", "n+1"), "earlier segment labels; two rows hold two categories"),
    File("right_labels.h5", "labels", ("rows", "t", "n+1"), "segment labels, one category per segment"),
    File(VIDEO_LABELS, "labels", ("rows", "n+1"), "video labels: the category"),
    File("labels_closs.h5", "labels", ("rows", "t"), "event or background per segment"),
    File(SHARES, "labels", ("rows", "n+1"), "mean of right_labels over time: share of each category"),
)
"""All files that avelzoo reads; a folder may hold further files."""

BY_NAME: Mapping[str, File] = {file.name: file for file in FILES}


def need_folder(root: Path) -> Path:
    """Return ``root`` if it is a folder.

    Raises:
        DataError: it is not a folder.
    """
    if not root.is_dir():
        raise DataError(
            "data folder missing" if not root.exists() else "the data folder is a file",
            where=str(root),
            found=f"a link to {root.readlink()}, which is missing" if root.is_symlink() and not root.exists() else "",
            expected=f"a folder with {ANNOTATIONS}, {VISUAL} and the other files of AVE's public layout",
            fix="correct the path; if the folder was moved, pass its new path to `avelzoo evaluate` or `avelzoo run"
            " --resume` with --data; `avelzoo data simulate DIR` writes a simulated folder for experiments",
        )
    return root


def need_file(root: Path, name: str, *, purpose: str, fix: str = "") -> Path:
    """Return the path of a file that ``purpose`` requires.

    Raises:
        DataError: the file is missing.
    """
    path = need_folder(root) / name
    if not path.is_file():
        if is_there(path):
            raise absent(path, expected=f"{name}, for {purpose}", fix=fix)
        raise DataError(
            f"a file is missing: {name}",
            where=str(root),
            found=", ".join(file.name for file in FILES if (root / file.name).is_file()) or "no file of the layout",
            expected=f"{name}, for {purpose}",
            fix=fix or f"`avelzoo data status {root}` lists the files of the folder and the uses they allow",
        )
    return path


def is_there(path: Path) -> bool:
    """Whether a path exists, possibly as a broken symbolic link."""
    return path.is_symlink() or path.exists()


def annotation_file(root: Path) -> str:
    """Choose the annotations: Annotations.txt, or events.csv if only that exists."""
    return EVENTS if is_there(root / EVENTS) and not is_there(root / ANNOTATIONS) else ANNOTATIONS


def visual_features(root: Path) -> str:
    """Choose the visual features: the maps, or the pooled ones if the maps are missing."""
    pooled = is_there(root / POOLED_VISUAL) and not is_there(root / VISUAL)
    return POOLED_VISUAL if pooled else VISUAL


def audio_features(root: Path, wanted: Literal["auto", "vggish", "cnn14"] = "auto") -> AudioKind:
    """Choose the audio features: the wanted kind, or for ``auto`` the first kind present."""
    if wanted != "auto":
        return wanted
    return next((kind for kind, name in AUDIO.items() if is_there(root / name)), "vggish")


def read_marker(root: Path) -> dict[str, Any] | None:
    """Read the marker that `avelzoo data simulate` wrote; None for other folders.

    Raises:
        DataError: the marker is damaged, so the folder's content is unknown.
    """
    path = root / MARKER
    if not os.path.lexists(path):
        return None
    try:
        marker = json.loads(path.read_text("utf-8"))
        fault = _marker_fault(marker)
    except OSError as error:
        fault = reason(error)
    except (ValueError, RecursionError) as error:
        fault = f"not JSON: {error}" if path.stat().st_size else "an empty file"
    if fault:
        raise DataError(
            "the marker of a simulated folder is damaged",
            where=str(path),
            found=fault,
            expected="the keys that `avelzoo data simulate` writes: simulated, note, seed",
            fix=f"simulate the folder again; delete {MARKER} only if the features are real",
        )
    found: dict[str, Any] = marker
    return found


def _marker_fault(marker: object) -> str:
    """Fault of a marker's content; empty if none."""
    if not isinstance(marker, dict):
        return f"a {type(marker).__name__} instead of an object"
    kinds: Mapping[str, type] = {"simulated": bool, "note": str, "seed": int}
    missing = [key for key in kinds if key not in marker]
    if missing:
        return f"no {', '.join(missing)}"
    wrong = [key for key, kind in kinds.items() if type(marker[key]) is not kind]
    if not wrong and not isinstance(marker.get("files", {}), dict):
        wrong = ["files"]
    if wrong:
        return f"{wrong[0]} is {marker[wrong[0]]!r}"[:120]
    return "" if marker["simulated"] else "simulated is false"
