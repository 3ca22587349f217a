"""The public layout: which files a folder may hold and what each is for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from avelzoo.data.header import KEYS
from avelzoo.errors import DataError

Role = Literal["annotations", "order", "visual", "audio", "labels", "negatives"]
AudioKind = Literal["vggish", "cnn14"]

ANNOTATIONS = "Annotations.txt"
SPLITS = ("train", "val", "test")
ORDERS: Mapping[str, str] = {name: f"{name}_order.h5" for name in SPLITS}
ORDER_KEYS = ("order",)
VISUAL = "visual_feature.h5"
AUDIO: Mapping[AudioKind, str] = {"vggish": "audio_feature.h5", "cnn14": "audio_cnn14.h5"}
NEGATIVE_VISUAL = "visual_feature_noisy.h5"
NEGATIVE_AUDIO: Mapping[AudioKind, str] = {"vggish": "audio_feature_noisy.h5", "cnn14": "audio_cnn14_noisy.h5"}
NEGATIVE_LABELS = "labels_noisy.h5"
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
    """

    name: str
    role: Role
    axes: tuple[str, ...]
    text: str

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of its array."""
        return ORDER_KEYS if self.role == "order" else KEYS


_VISUAL_AXES = ("rows", "t", "h", "w", "v")
_AUDIO_AXES = ("rows", "t", "a")

FILES: tuple[File, ...] = (
    File(ANNOTATIONS, "annotations", (), "category, id and event of every video"),
    *(File(ORDERS[name], "order", ("videos",), f"row numbers of the {name} split") for name in SPLITS),
    File(VISUAL, "visual", _VISUAL_AXES, "VGG-19 maps"),
    File(AUDIO["vggish"], "audio", _AUDIO_AXES, "VGGish features"),
    File(AUDIO["cnn14"], "audio", _AUDIO_AXES, "CNN14 features"),
    File(NEGATIVE_VISUAL, "negatives", _VISUAL_AXES, "VGG-19 maps of the negatives"),
    File(NEGATIVE_AUDIO["vggish"], "negatives", _AUDIO_AXES, "VGGish features of the negatives"),
    File(NEGATIVE_AUDIO["cnn14"], "negatives", _AUDIO_AXES, "CNN14 features of the negatives"),
    File(NEGATIVE_LABELS, "negatives", ("rows", "n+1"), "video labels of the negatives: background"),
    File("labels.h5", "labels", ("rows", "t", "n+1"), "the first segment labels; two rows hold two categories"),
    File("right_labels.h5", "labels", ("rows", "t", "n+1"), "segment labels, one category a segment"),
    File("mil_labels.h5", "labels", ("rows", "n+1"), "video labels: the category"),
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
            expected=f"a folder with {ANNOTATIONS}, {VISUAL} and the other files of AVE's public layout",
            fix="correct the path; `avelzoo data simulate DIR` writes a folder of this layout to try things with",
        )
    return root


def need_file(root: Path, name: str, *, purpose: str, fix: str = "") -> Path:
    """The path of a file that ``purpose`` cannot do without.

    Raises:
        DataError: it is not there.
    """
    path = need_folder(root) / name
    if not path.is_file():
        raise DataError(
            f"a file is missing: {name}",
            where=str(root),
            found=", ".join(file.name for file in FILES if (root / file.name).is_file()) or "no file of the layout",
            expected=f"{name}, for {purpose}",
            fix=fix or f"`avelzoo data status {root}` lists what is there and what it allows",
        )
    return path


def audio_features(root: Path, wanted: Literal["auto", "vggish", "cnn14"] = "auto") -> AudioKind:
    """Which audio features to use: the wanted ones, or for ``auto`` the first that are there."""
    if wanted != "auto":
        return wanted
    return next((kind for kind, name in AUDIO.items() if (root / name).is_file()), "vggish")


def read_marker(root: Path) -> dict[str, Any] | None:
    """What `avelzoo data simulate` said about a folder; None for a folder that it did not write."""
    try:
        marker = json.loads((root / MARKER).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return marker if isinstance(marker, dict) and marker.get("simulated") is True else None
