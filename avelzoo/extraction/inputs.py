"""The videos of an extraction: files, and folders with all their subfolders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from avelzoo.errors import UsageError

SUFFIXES = frozenset(
    {
        *(".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg"),
        *(".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv"),
    }
)
"""Ends of names of the files that are taken from folders; files named one by one may have any name."""


@dataclass(frozen=True, order=True)
class VideoFile:
    """A video of an extraction.

    Attributes:
        name: its path below the common folder of all videos, with ``/``; it names the video in the data folder.
        path: the file.
    """

    name: str
    path: Path


def find_videos(paths: Sequence[Path]) -> list[VideoFile]:
    """All videos of files and folders, sorted by name; folders include their subfolders, hidden ones excepted.

    A file that does not exist is kept: it is reported like one that cannot be read.

    Raises:
        UsageError: there is no video.
    """
    found, _ = find_all(paths)
    if not found:
        raise UsageError(
            "no video found",
            where=", ".join(map(str, paths[:3])),
            expected="files, or folders with videos: " + " ".join(sorted(SUFFIXES)),
            fix="name the files one by one if their names end differently",
        )
    return found


def find_all(paths: Sequence[Path]) -> tuple[list[VideoFile], list[Path]]:
    """`find_videos`, and the folders among ``paths`` without a video. Each folder is walked once."""
    inside = {path: list(_inside(_plain(path))) if path.is_dir() else [_plain(path)] for path in paths}
    used = [path for path in inside if inside[path]]
    if not used:
        return [], list(inside)
    top = common_folder(used)
    files = dict.fromkeys(file for path in used for file in inside[path])
    found = sorted(VideoFile(file.relative_to(top).as_posix(), file) for file in files)
    return found, [path for path in inside if not inside[path]]


def common_folder(roots: Sequence[Path]) -> Path:
    """Deepest folder that holds all paths; a folder holds itself."""
    return Path(os.path.commonpath([root if root.is_dir() else root.parent for root in map(_plain, roots)]))


def _plain(path: Path) -> Path:
    """Absolute and without ``..``; links stay as they are named."""
    return Path(os.path.normpath(path.expanduser().absolute()))


def _inside(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(where, name)


def locate(names: Sequence[str], table: Path, paths: Sequence[Path]) -> list[VideoFile]:
    """The videos that a table names, in its order.

    Each name is a path from one of the given folders or from the table's folder, the name of a given file, or any of
    these without its end (``.mp4``). A name that fits nothing is kept, as a file that does not exist.

    Args:
        names: videos as the table names them.
        table: the table.
        paths: files and folders to search; none to search the table's folder alone.
    """
    roots = [_plain(path) for path in paths]
    folders = [*(root for root in roots if root.is_dir()), _plain(table).parent]
    known: dict[str, Path] = {}
    for root in roots if roots else folders:
        for file in _inside(root) if root.is_dir() else [root]:
            name = file.relative_to(root).as_posix() if root.is_dir() else file.name
            known.setdefault(name, file)
            known.setdefault(name.removesuffix(file.suffix), file)
    return [VideoFile(name, _located(name, folders, known)) for name in dict.fromkeys(names)]


def _located(name: str, folders: Sequence[Path], known: Mapping[str, Path]) -> Path:
    candidates = [folder / Path(name).expanduser() for folder in folders]
    return next((path for path in candidates if path.is_file()), known.get(name, candidates[0]))
