"""Publishers, addresses and sizes of AVE's files. Nothing here downloads anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from avelzoo.data.facts import CHECKSUMS
from avelzoo.data.reading.layout import (
    ANNOTATIONS,
    AUDIO,
    NEGATIVE_AUDIO,
    NEGATIVE_LABELS,
    NEGATIVE_VISUAL,
    ORDERS,
    POOLED_VISUAL,
    VISUAL,
)

AVE = "YapengTian/AVE-ECCV18"
PSP = "jasongief/PSP_CVPR_2021"
CLONE = f"git clone https://github.com/{AVE}"
_PSP_FILES = "drive.google.com/file/d/1juKwV813ZibgX79VDjB6X6Pnmq1X7Huz"


@dataclass(frozen=True)
class Source:
    """Publication of a file.

    Attributes:
        publisher: the publisher's repository on GitHub; empty for unpublished files.
        where: address of the file, as the publisher's page names it.
        bytes: file size, computed from the array's shape for large files; 0 if unknown.
        sha256: checksum of the published file; empty if unknown.
    """

    publisher: str
    where: str
    bytes: int = 0
    sha256: str = ""

    def to_dict(self) -> dict[str, str | int]:
        """Plain data, for ``--json``."""
        return {"publisher": self.publisher, "where": self.where, "bytes": self.bytes, "sha256": self.sha256}

    @property
    def by_clone(self) -> bool:
        """Whether a clone of AVE's repository contains the file."""
        return self.publisher == AVE and bool(self.sha256)

    def __str__(self) -> str:
        return f"{self.publisher}: {self.where}" if self.publisher else self.where


def _in_repository(name: str, size: int) -> Source:
    return Source(AVE, f"data/{name} in the repository ({CLONE})", size, sha256=CHECKSUMS[name])


_NOT_PUBLIC = "not published; extract CNN14 embeddings, (rows, 10, 2048), key 'dataset'"

SOURCES: Mapping[str, Source] = {
    ANNOTATIONS: _in_repository(ANNOTATIONS, 144_287),
    ORDERS["train"]: _in_repository(ORDERS["train"], 28_856),
    ORDERS["val"]: _in_repository(ORDERS["val"], 5_360),
    ORDERS["test"]: _in_repository(ORDERS["test"], 5_360),
    VISUAL: Source(
        AVE, "README, 'visual feature': drive.google.com/file/d/1hQwbhutA3fQturduRnHMyfRqdrRHgmC9", 8_315_168_864
    ),
    POOLED_VISUAL: Source(
        AVE, "README, pooled visual feature: drive.google.com/file/d/1l-c8Kpr5SZ37h-NpL7o9u8YXBNVlX_Si"
    ),
    AUDIO["vggish"]: Source(
        AVE, "README, 'Audio feature': drive.google.com/file/d/1F6p4BAOY-i0fDXUOhG7xHuw_fnO5exBS", 42_426_464
    ),
    AUDIO["cnn14"]: Source("", _NOT_PUBLIC),
    NEGATIVE_VISUAL: Source(
        AVE, "README, noisy visual feature: drive.google.com/file/d/1I3OtOHJ8G1-v5G2dHIGCfevHQPn-QyLh", 357_255_264
    ),
    NEGATIVE_AUDIO["vggish"]: _in_repository(NEGATIVE_AUDIO["vggish"], 1_824_864),
    NEGATIVE_AUDIO["cnn14"]: Source("", _NOT_PUBLIC.replace("rows", "178")),
    NEGATIVE_LABELS: _in_repository(NEGATIVE_LABELS, 22_792),
    "labels.h5": Source(PSP, f"README, 'preprocessed files': {_PSP_FILES}"),
    "right_labels.h5": Source(PSP, f"README, 'preprocessed files' (also spelt right_label.h5): {_PSP_FILES}"),
    "mil_labels.h5": _in_repository("mil_labels.h5", 482_732),
    "labels_closs.h5": _in_repository("labels_closs.h5", 167_864),
    "prob_label.h5": Source(PSP, f"README, 'preprocessed files': {_PSP_FILES}"),
}
"""AVE's files, as their publishers' pages named them in November 2026; large links reportedly hit quotas."""

OPTIONAL: Mapping[str, str] = {
    VISUAL: f"features with a grid; if missing, {POOLED_VISUAL} is read",
    POOLED_VISUAL: f"every use without {VISUAL}, as a 1 x 1 grid",
    NEGATIVE_LABELS: "the number of negatives in weak training; without it, all rows of the feature files count",
    "mil_labels.h5": "a comparison by `avelzoo data doctor`",
    "labels_closs.h5": "a comparison by `avelzoo data doctor`",
    "prob_label.h5": "weak, soft-duration; without it, shares are rebuilt from Annotations.txt",
}
"""Uses of files that are optional or have a substitute."""

VIDEOS = Source(AVE, "README: drive.google.com/open?id=1FjKwe79e0u96vdjIVwfRQ1V6SoDHe7kK")
"""The videos, 4,097 files; the archive also contains the text splits."""


_UNKNOWN = Source("", "not part of AVE's public files")


def steps(missing: Iterable[str]) -> list[str]:
    """Steps to get these files, one line per download: the clone first, then sorted by address."""
    todo: dict[str, list[str]] = {}
    for name in missing:
        source = SOURCES.get(name, _UNKNOWN)
        todo.setdefault(CLONE if source.by_clone else str(source), []).append(name)
    lines = sorted(todo.items(), key=lambda item: item[0] != CLONE)
    return [f"{', '.join(names)}: {place}{', folder data/' * (place == CLONE)}" for place, names in lines]


@dataclass(frozen=True)
class Need:
    """Files that some uses of a folder require.

    Attributes:
        uses: the uses, named as their options.
        needed: all required files.
        missing: required files that are missing.
    """

    uses: tuple[str, ...]
    needed: tuple[str, ...]
    missing: tuple[str, ...]


def shortest(needs: Iterable[Need]) -> list[str]:
    """Shortest steps to each use, in lines; a use that extends the first one lists only the additional files."""
    lines: list[str] = []
    first: tuple[str, ...] | None = None
    for need in needs:
        rest = need.missing
        more = first is not None and set(first) < set(rest)
        if first is not None and more:
            rest = tuple(name for name in rest if name not in first)
        first = need.missing if first is None else first
        cloned = sum(name in SOURCES and SOURCES[name].by_clone for name in rest)
        summary = f"{' / '.join(need.uses)}: needs {len(need.needed)} files, {len(need.missing)} missing"
        summary += f"; {len(rest)} besides those above" if more else ""
        if cloned:
            summary += f"; {cloned} of them by one git clone"
        lines += [summary, *(f"  {step}" for step in steps(rest))]
    return lines
