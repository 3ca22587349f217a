"""The public layout: which files a folder may hold and what each is for."""

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
from avelzoo.errors import DataError

Role = Literal["annotations", "order", "visual", "audio", "labels", "negatives"]
AudioKind = Literal["vggish", "cnn14"]

ANNOTATIONS = "Annotations.txt"
SPLITS = ("train", "val", "test")
ORDERS: Mapping[str, str] = {name: f"{name}_order.h5" for name in SPLITS}
TEXT_SPLITS: Mapping[str, str] = {name: f"{name}Set.txt" for name in SPLITS}
"""Annotations of every split's videos, as AVE's video archive holds them; read where no order file is there."""
ORDER_KEYS = ("order",)
VISUAL = "visual_feature.h5"
POOLED_VISUAL = "visual_feature_vec.h5"
"""Visual features averaged over the grid, read where ``VISUAL`` is not there."""
AUDIO: Mapping[AudioKind, str] = {"vggish": "audio_feature.h5", "cnn14": "audio_cnn14.h5"}
NEGATIVE_VISUAL = "visual_feature_noisy.h5"
NEGATIVE_AUDIO: Mapping[AudioKind, str] = {"vggish": "audio_feature_noisy.h5", "cnn14": "audio_cnn14_noisy.h5"}
NEGATIVE_LABELS = "labels_noisy.h5"
VIDEO_LABELS = "mil_labels.h5"
SHARES = "prob_label.h5"
MARKER = "simulated.json"
"""Written into simulated folders, so that nobody takes their features for real ones."""


@dataclass(frozen=True)
class File:
    """A file of the layout.

    Attributes:
        name: its name.
        role: what it holds.
        axes: its array's axes in the notation of every docstring, rows first; none for text.
        text: one line on it.
        pooled: whether the grid's two axes may be missing, as in a 1 x 1 grid.
    """

    name: str
    role: Role
    axes: tuple[str, ...]
    text: str
    pooled: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of its array."""
        return ORDER_KEYS if self.role == "order" else KEYS


VISUAL_AXES = ("rows", "t", "h", "w", "v")
_AUDIO_AXES = ("rows", "t", "a")

FILES: tuple[File, ...] = (
    File(ANNOTATIONS, "annotations", (), "category, id and event of every video"),
    File(CATEGORIES, "annotations", (), "category names in the order of their ids; optional"),
    *(File(ORDERS[name], "order", ("videos",), f"row numbers of the {name} split") for name in SPLITS),
    *(File(TEXT_SPLITS[name], "order", (), f"videos of the {name} split; used without order files") for name in SPLITS),
    File(VISUAL, "visual", VISUAL_AXES, "VGG-19 maps"),
    File(POOLED_VISUAL, "visual", VISUAL_AXES, "pooled VGG-19 maps, where the maps are not there", pooled=True),
    File(AUDIO["vggish"], "audio", _AUDIO_AXES, "VGGish features"),
    File(AUDIO["cnn14"], "audio", _AUDIO_AXES, "CNN14 features"),
    File(NEGATIVE_VISUAL, "negatives", VISUAL_AXES, "VGG-19 maps of the negatives"),
    File(NEGATIVE_AUDIO["vggish"], "negatives", _AUDIO_AXES, "VGGish features of the negatives"),
    File(NEGATIVE_AUDIO["cnn14"], "negatives", _AUDIO_AXES, "CNN14 features of the negatives"),
    File(NEGATIVE_LABELS, "negatives", ("rows", "n+1"), "video labels of the negatives: background"),
    File("labels.h5", "labels", ("rows", "t", "n+1"), "the first segment labels; two rows hold two categories"),
    File("right_labels.h5", "labels", ("rows", "t", "n+1"), "segment labels, one category a segment"),
    File(VIDEO_LABELS, "labels", ("rows", "n+1"), "video labels: the category"),
    File("labels_closs.h5", "labels", ("rows", "t"), "event or background by segment"),
    File(SHARES, "labels", ("rows", "n+1"), "mean of right_labels over time: every category's share"),
)
"""Every file that is read; a folder may hold others."""

BY_NAME: Mapping[str, File] = {file.name: file for file in FILES}


def need_folder(root: Path) -> Path:
    """``root``, if it is a folder.

    Raises:
        DataError: it is not.
    """
    if not root.is_dir():
        raise DataError(
            "there is no such data folder" if not root.exists() else "the data folder is a file",
            where=str(root),
            found=f"a link to {root.readlink()}, which is not there" if root.is_symlink() and not root.exists() else "",
            expected=f"a folder with {ANNOTATIONS}, {VISUAL} and the other files of AVE's public layout",
            fix="correct the path; if the folder was moved, `avelzoo evaluate` and `avelzoo run --resume` take its new"
            " path by --data; `avelzoo data simulate DIR` writes a folder of this layout to try things with",
        )
    return root


def need_file(root: Path, name: str, *, purpose: str, fix: str = "") -> Path:
    """The path of a file that ``purpose`` cannot do without.

    Raises:
        DataError: it is not there.
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
            fix=fix or f"`avelzoo data status {root}` lists what is there and what it allows",
        )
    return path


def is_there(path: Path) -> bool:
    """Whether a name is taken, if only by a symbolic link that leads nowhere."""
    return path.is_symlink() or path.exists()


def visual_features(root: Path) -> str:
    """Which visual features to use: the maps, or where they are not there the pooled ones."""
    pooled = is_there(root / POOLED_VISUAL) and not is_there(root / VISUAL)
    return POOLED_VISUAL if pooled else VISUAL


def audio_features(root: Path, wanted: Literal["auto", "vggish", "cnn14"] = "auto") -> AudioKind:
    """Which audio features to use: the wanted ones, or for ``auto`` the first that are there."""
    if wanted != "auto":
        return wanted
    return next((kind for kind, name in AUDIO.items() if is_there(root / name)), "vggish")


def read_marker(root: Path) -> dict[str, Any] | None:
    """What `avelzoo data simulate` said about a folder; None for a folder that it did not write.

    Raises:
        DataError: there is a marker and it is damaged, so that nobody knows what the folder holds.
    """
    path = root / MARKER
    if not os.path.lexists(path):
        return None
    try:
        marker = json.loads(path.read_text("utf-8"))
        fault = _marker_fault(marker)
    except OSError as error:
        fault = (error.strerror or str(error)).lower()
    except (ValueError, RecursionError) as error:
        fault = f"no JSON: {error}" if path.stat().st_size else "an empty file"
    if fault:
        raise DataError(
            "the marker of a simulated folder is damaged",
            where=str(path),
            found=fault,
            expected="what `avelzoo data simulate` wrote: simulated, note, seed",
            fix=f"simulate the folder again; delete {MARKER} only if the features are real",
        )
    found: dict[str, Any] = marker
    return found


def _marker_fault(marker: object) -> str:
    """What is wrong with a marker's content; empty where nothing is."""
    if not isinstance(marker, dict):
        return f"a {type(marker).__name__} in place of an object"
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
