"""HDF5 links: resolving a name to a file and an object."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import h5py

from avelzoo.data.reading.opening import open_file
from avelzoo.errors import DataError, some

NAMES_SHOWN = 6
_HOPS = 16  # HDF5's own limit
_WIDTH = 40


def follow(path: Path, key: str) -> tuple[Path, str]:
    """Follow soft and external links to the file that holds an object; return the file and the object's name in it.

    Raises:
        DataError: a link is broken or circular, or a file on the way cannot be opened.
    """
    where = f"{path}, key '{key}'"
    parts, said = _split(key), ""
    for _ in range(_HOPS):
        try:
            with open_file(path) as file:
                step = _step(file, parts)
                if step is None:
                    return path, "/".join(parts)
                link, before, after = step
                if link is None:
                    raise _nowhere(where, said, file) if said else _not_held(where, file)
        except DataError as error:
            if not said or error.where == where:
                raise
            raise DataError(
                error.problem,
                where=f"{error.where}, to which {where} links",
                found=error.found,
                expected=error.expected,
                fix=error.fix,
            ) from error
        target = _split(link.path)
        if isinstance(link, h5py.ExternalLink):
            said = f"an external link to '{link.path}' in {link.filename}"
            linked = find_linked(link.filename, path, "HDF5_EXT_PREFIX")
            if linked is None:
                raise _nowhere(where, f"{said}, which is missing")
            path, parts = linked, [*target, *after]
        else:
            said = f"a soft link to '{link.path}'"
            parts = [*(() if link.path.startswith("/") else before), *target, *after]
    raise DataError("circular links in an HDF5 file", where=where, found=said, fix="link to the array itself")


def find_linked(name: str, holder: Path, variable: str) -> Path | None:
    """Find the file that ``holder`` refers to as ``name``, in HDF5's search order; None if not found.

    If an absolute path is missing, its last part is searched for, because the folder may have moved.

    Args:
        name: the name as written in the file.
        holder: the file that refers to it.
        variable: environment variable with additional folders to search.
    """
    moved = Path(name).is_absolute()
    if moved and Path(name).is_file():
        return Path(name)
    folder = holder.parent.absolute()
    given = [part.replace("${ORIGIN}", str(folder)) for part in os.environ.get(variable, "").split(os.pathsep) if part]
    for directory in (*map(Path, given), folder, Path.cwd(), holder.resolve().parent):
        found = directory / (Path(name).name if moved else name)
        if found.is_file() and not (moved and found.samefile(holder)):  # a file cannot be its own moved target
            return found
    return None


def listed_names(names: Collection[str]) -> str:
    """List a few shortened names: ``a, b, c and 12 more``."""
    return some([name if len(name) <= _WIDTH else f"{name[: _WIDTH - 3]}..." for name in names], NAMES_SHOWN)


def _split(name: str) -> list[str]:
    return [part for part in name.split("/") if part not in ("", ".")]


def _step(file: h5py.File, parts: list[str]) -> tuple[Any, list[str], list[str]] | None:
    """Find the first link among the parts, and the parts before and after it; None if no part is a link."""
    group: Any = file
    for i, part in enumerate(parts):
        link = group.get(part, getlink=True) if isinstance(group, h5py.Group) else None
        if not isinstance(link, h5py.HardLink):
            return link, parts[:i], parts[i + 1 :]
        group = group[part]
    return None


def _nowhere(where: str, said: str, file: h5py.File | None = None) -> DataError:
    there = f"; that file holds {listed_names(file)}" if file is not None and len(file) else ""
    return DataError(
        "broken link in an HDF5 file",
        where=where,
        found=said + there,
        expected="a link to an existing array, or the array itself",
        fix="restore the linked file, copy it into this file's folder, or write the array into this file",
    )


def _not_held(where: str, file: h5py.File) -> DataError:
    return DataError(
        "array not found in an HDF5 file",
        where=where,
        found=listed_names(file) if len(file) else "no key",
        fix="write it into that file, or correct the reference to it",
    )
