"""Files of results: one per video and format, named after the video's path so that names never collide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from avelzoo.errors import UnknownNameError, did_you_mean
from avelzoo.formats import FormatConfig
from avelzoo.localization.storing import SUFFIX
from avelzoo.plugin.registry import Registry
from avelzoo.system.files import make_folder, write_bytes
from avelzoo.timeline.records import Localization

ALL = "all"
SCORES = "scores"
"""Folder of the stored scores, inside the output folder."""
SUMMARY = "summary.csv"


def formats_of(registry: Registry, names: str | Sequence[str]) -> tuple[FormatConfig, ...]:
    """Formats by name, separated by commas; ``all`` for every registered one.

    Raises:
        UnknownNameError: no format has this name.
    """
    asked = names.split(",") if isinstance(names, str) else list(names)
    asked = [name.strip() for name in asked if name.strip()]
    known = [entry.name for entry in registry.entries("format")]
    if ALL in asked:
        asked = known
    for name in asked:
        if name.rpartition("/")[2] not in known:
            raise UnknownNameError(
                f"unknown format '{name}'" + did_you_mean(name, known),
                where="--format",
                expected=", ".join([*known, ALL]),
            )
    return tuple(registry.get("format", name).target() for name in dict.fromkeys(asked))


@dataclass(frozen=True)
class Outputs:
    """The output folder of a batch.

    Attributes:
        folder: the folder.
        formats: formats of the result files.
        plot: draw a picture of every result.
    """

    folder: Path
    formats: tuple[FormatConfig, ...]
    plot: bool = False

    def scores(self, name: str) -> Path:
        """File of a video's stored scores."""
        return self.folder / SCORES / _inside(name, SUFFIX)

    def stored(self) -> list[Path]:
        """All files of stored scores, sorted."""
        return sorted((self.folder / SCORES).rglob(f"*{SUFFIX}"))

    def name_of(self, stored: Path) -> str:
        """The video's name, from the file of its scores."""
        return stored.relative_to(self.folder / SCORES).as_posix().removesuffix(SUFFIX)

    def write(self, name: str, result: Localization, *, threshold: float | None = None) -> list[Path]:
        """Write a result in every format, and its picture; returns the files.

        Args:
            name: the video's name.
            result: its result.
            threshold: relevance above which a segment is an event, for the picture.

        Raises:
            StorageError: a file cannot be written.
        """
        files = []
        for config in self.formats:
            path = self.folder / _inside(name, config.suffix)
            make_folder(path.parent)
            write_bytes(path, config.text(result).encode("utf-8", "backslashreplace"))
            files.append(path)
        if self.plot:
            from avelzoo.localization.plotting import plot

            files += plot(result, self.folder / _inside(name, ""), threshold=threshold)
        return files


def _inside(name: str, suffix: str) -> PurePosixPath:
    """A path below the output folder with the video's whole name: a.mp4 and a.webm stay apart."""
    return PurePosixPath(name + suffix)
