"""What a folder holds and what that allows; reads headers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from avelzoo.data.header import read_info
from avelzoo.data.layout import (
    ANNOTATIONS,
    AUDIO,
    FILES,
    NEGATIVE_AUDIO,
    NEGATIVE_VISUAL,
    ORDERS,
    VISUAL,
    AudioKind,
    need_folder,
    read_marker,
)
from avelzoo.data.pack import read_manifest
from avelzoo.errors import DataError


@dataclass(frozen=True)
class FileStatus:
    """One file of the layout.

    Attributes:
        name: its name.
        role: what it holds.
        text: one line on it.
        present: whether it is there.
        bytes: its size.
        shape: of its array.
        dtype: of its numbers.
        storage: contiguous (read in place), chunked or indirect.
        problem: why it cannot be read, if so.
    """

    name: str
    role: str
    text: str
    present: bool
    bytes: int = 0
    shape: tuple[int, ...] = ()
    dtype: str = ""
    storage: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Ability:
    """A use of the folder.

    Attributes:
        name: the use, as its options are called.
        missing: files it lacks, by kind of audio features.
    """

    name: str
    missing: Mapping[AudioKind, tuple[str, ...]]


@dataclass(frozen=True)
class Status:
    """A folder.

    Attributes:
        root: the folder.
        simulated: the marker's content, if `avelzoo data simulate` wrote it.
        packed: type of the features, if `avelzoo data pack` wrote it; else empty.
        files: every file of the layout, present or not.
        abilities: what they allow.
    """

    root: Path
    simulated: Mapping[str, Any] | None
    packed: str
    files: tuple[FileStatus, ...]
    abilities: tuple[Ability, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return {
            "root": str(self.root),
            "simulated": self.simulated,
            "packed": self.packed,
            "files": [asdict(file) for file in self.files],
            "allows": {
                ability.name: {kind: not missing for kind, missing in ability.missing.items()}
                for ability in self.abilities
            },
            "missing": {
                ability.name: {kind: list(missing) for kind, missing in ability.missing.items()}
                for ability in self.abilities
            },
        }


def status(root: Path) -> Status:
    """Look at a folder.

    Raises:
        DataError: there is no such folder, or the manifest of a packed one is damaged.
    """
    root = need_folder(root.expanduser())
    files = tuple(_file(root, file.name) for file in FILES)
    readable = {file.name for file in files if file.present and not file.problem}
    manifest = read_manifest(root)
    packed = str(manifest["dtype"]) if manifest else ""
    return Status(root, read_marker(root), packed, files, tuple(_abilities(readable)))


def _file(root: Path, name: str) -> FileStatus:
    file = next(f for f in FILES if f.name == name)
    path = root / name
    if not path.is_file():
        return FileStatus(name, file.role, file.text, present=False)
    size = path.stat().st_size
    if not file.axes:
        return FileStatus(name, file.role, file.text, present=True, bytes=size, dtype="text")
    try:
        info = read_info(path, file.keys)
    except DataError as error:
        problem = f"{error.problem} ({error.found})" if error.found else error.problem
        return FileStatus(name, file.role, file.text, present=True, bytes=size, problem=problem)
    return FileStatus(
        name,
        file.role,
        file.text,
        present=True,
        bytes=size,
        shape=info.shape,
        dtype=str(info.dtype),
        storage=info.storage,
    )


def _abilities(readable: set[str]) -> list[Ability]:
    base = (ANNOTATIONS, *ORDERS.values(), VISUAL)

    def ability(name: str, *more: str, negatives: bool = False) -> Ability:
        missing = {}
        for kind, audio in AUDIO.items():
            needed = (*base, audio, *more, *((NEGATIVE_VISUAL, NEGATIVE_AUDIO[kind]) if negatives else ()))
            missing[kind] = tuple(file for file in needed if file not in readable)
        return Ability(name, missing)

    return [
        ability("full"),
        ability("weak, onehot"),
        ability("weak, onehot+neg", negatives=True),
        ability("weak, soft-duration", negatives=True),
        ability("labels=labels", "labels.h5"),
        ability("labels=right_labels", "right_labels.h5"),
    ]
