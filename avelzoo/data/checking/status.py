"""Files of a folder and the uses they allow; reads only headers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from avelzoo.data.checking.sources import SOURCES, Need, Source, steps
from avelzoo.data.making.pack import read_manifest
from avelzoo.data.reading.features_record import read_features_record
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.layout import (
    AUDIO,
    FILES,
    MARKER,
    NEGATIVE_AUDIO,
    NEGATIVE_VISUAL,
    VISUAL,
    AudioKind,
    File,
    annotation_file,
    is_there,
    need_folder,
    read_marker,
    visual_features,
)
from avelzoo.data.reading.opening import absent
from avelzoo.data.reading.orders import order_files
from avelzoo.errors import DataError


@dataclass(frozen=True)
class FileStatus:
    """One file of the layout.

    Attributes:
        name: file name.
        role: kind of content.
        text: one-line description.
        present: whether the file exists.
        bytes: file size.
        shape: shape of its array.
        dtype: number format of its array.
        storage: contiguous (read in place), chunked or indirect.
        problem: reason why it is unreadable; empty if it is readable.
        needed_for: uses of the folder that require it.
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
    needed_for: tuple[str, ...] = ()

    @property
    def source(self) -> Source | None:
        """Publication of AVE's file of this name; None for files that AVE does not have."""
        return SOURCES.get(self.name)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return asdict(self) | {"source": self.source.to_dict() if self.source else None}


@dataclass(frozen=True)
class Ability:
    """A use of the folder.

    Attributes:
        name: the use, named as its options.
        needed: required files, by kind of audio features.
        missing: required files that are missing or unreadable.
    """

    name: str
    needed: Mapping[AudioKind, tuple[str, ...]]
    missing: Mapping[AudioKind, tuple[str, ...]]


@dataclass(frozen=True)
class Status:
    """Status of a folder.

    Attributes:
        root: the folder.
        simulated: the marker's content, if `avelzoo data simulate` wrote the folder; a substitute if it is damaged.
        packed: number format of the features, if `avelzoo data pack` wrote the folder; else empty.
        extraction: recipes of the features, if `avelzoo extract` wrote the folder; else None.
        files: every file of the layout, present or not.
        abilities: uses that the files allow.
    """

    root: Path
    simulated: Mapping[str, Any] | None
    packed: str
    extraction: Mapping[str, Any] | None
    files: tuple[FileStatus, ...]
    abilities: tuple[Ability, ...]

    def needs(self) -> list[Need]:
        """Missing files for every use that the folder does not allow, with the audio kind that misses fewest."""
        uses: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
        for ability in self.abilities:
            kind = min(ability.missing, key=lambda kind: len(ability.missing[kind]))
            if ability.missing[kind]:
                uses.setdefault((ability.needed[kind], ability.missing[kind]), []).append(ability.name)
        return [Need(tuple(names), needed, missing) for (needed, missing), names in uses.items()]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return {
            "root": str(self.root),
            "simulated": self.simulated,
            "packed": self.packed,
            "extraction": self.extraction,
            "files": [file.to_dict() for file in self.files],
            "allows": {
                ability.name: {kind: not missing for kind, missing in ability.missing.items()}
                for ability in self.abilities
            },
            "missing": {
                ability.name: {kind: list(missing) for kind, missing in ability.missing.items()}
                for ability in self.abilities
            },
            "get": {
                ability.name: {kind: steps(missing) for kind, missing in ability.missing.items()}
                for ability in self.abilities
            },
        }


def status(root: Path) -> Status:
    """List a folder's files and the uses they allow.

    Raises:
        DataError: the folder does not exist, an extraction into it is not finished, or the record of a packed or
            extracted folder is damaged.
    """
    root = need_folder(root.expanduser())
    files = tuple(_file(root, file) for file in FILES)
    readable = {file.name for file in files if file.present and not file.problem}
    manifest = read_manifest(root)
    packed = str(manifest["dtype"]) if manifest else ""
    visual = visual_features(root)
    grids = {file.name: file.shape[2:4] for file in files}
    beside = visual if grids[visual] == grids[NEGATIVE_VISUAL] else VISUAL  # public negatives have a grid
    abilities = tuple(_abilities(readable, (annotation_file(root), *order_files(root).values()), visual, beside))
    files = tuple(replace(file, needed_for=tuple(_uses(file.name, abilities))) for file in files)
    record = read_features_record(root)
    return Status(root, known_marker(root), packed, record.extraction() if record else None, files, abilities)


def _uses(name: str, abilities: Iterable[Ability]) -> Iterator[str]:
    """Uses that require a file."""
    for ability in abilities:
        kinds = [kind for kind, needed in ability.needed.items() if name in needed]
        if kinds:
            yield ability.name + ("" if len(kinds) == len(ability.needed) else f" with {kinds[0]}")


def known_marker(root: Path) -> Mapping[str, Any] | None:
    """Marker of a simulated folder; a damaged marker becomes a substitute that says so."""
    try:
        return read_marker(root)
    except DataError as error:
        note = f"{MARKER} is damaged ({error.found}): treat the features in this folder as simulated."
        return {"simulated": True, "note": note, "damaged": error.found}


def _file(root: Path, file: File) -> FileStatus:
    name = file.name
    path = root / name
    if not path.is_file():
        error = absent(path) if is_there(path) else None
        problem = f"{error.problem} ({error.found})" if error and error.found else error.problem if error else ""
        return FileStatus(name, file.role, file.text, present=False, problem=problem)
    size = path.stat().st_size
    if not file.axes:
        return FileStatus(name, file.role, file.text, present=True, bytes=size, dtype="text")
    try:
        array = H5Array(path, keys=file.keys, axes=file.axes, pooled=file.pooled)
    except DataError as error:
        problem = f"{error.problem} ({error.found})" if error.found else error.problem
        return FileStatus(name, file.role, file.text, present=True, bytes=size, problem=problem)
    return FileStatus(
        name,
        file.role,
        file.text,
        present=True,
        bytes=size,
        shape=array.shape,
        dtype=str(array.info.dtype),
        storage=array.info.storage,
    )


def _abilities(readable: set[str], base: tuple[str, ...], visual: str, beside: str) -> list[Ability]:
    """Uses that the readable files allow.

    Args:
        readable: names of the readable files.
        base: annotations and splits.
        visual: visual features used without negatives.
        beside: visual features used with negatives.
    """

    def ability(name: str, *more: str, negatives: bool = False) -> Ability:
        needed: dict[AudioKind, tuple[str, ...]] = {
            kind: (*base, beside, audio, NEGATIVE_VISUAL, NEGATIVE_AUDIO[kind])
            if negatives
            else (*base, visual, audio, *more)
            for kind, audio in AUDIO.items()
        }
        missing = {kind: tuple(file for file in files if file not in readable) for kind, files in needed.items()}
        return Ability(name, needed, missing)

    return [
        ability("full"),
        ability("weak, onehot"),
        ability("weak, onehot+neg", negatives=True),
        ability("weak, soft-duration", negatives=True),
        ability("labels=labels", "labels.h5"),
        ability("labels=right_labels", "right_labels.h5"),
    ]
