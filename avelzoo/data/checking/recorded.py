"""Comparison of files with the sizes and checksums that a record of the folder states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from avelzoo.data.checking.findings import Finding
from avelzoo.data.reading.features_record import AGAIN, read_features_record
from avelzoo.data.reading.layout import FEATURES
from avelzoo.errors import DataError


def check_files(
    root: Path, files: Mapping[str, Mapping[str, Any]], sums: Mapping[str, str | None], *, what: str, fix: str
) -> Iterator[Finding]:
    """Compare files with their record.

    Args:
        root: the folder.
        files: size and SHA-256 of each file, under ``bytes`` and ``sha256``.
        sums: SHA-256 by file name; None if not computed: only sizes are compared.
        what: kind of the files, such as "a packed file".
        fix: how to write them again.
    """
    for name, entry in files.items():
        path = root / name
        if not path.is_file():
            yield Finding("error", name, f"{what} is missing", fix=fix)
            continue
        size, found = path.stat().st_size, sums.get(name)
        if size != entry["bytes"] or (found is not None and found != entry["sha256"]):
            yield Finding(
                "error",
                name,
                f"{what} has changed since it was written",
                f"{size:,} bytes" + (f", sha256 {found[:12]}..." if found else ""),
                f"{entry['bytes']:,} bytes, sha256 {entry['sha256'][:12]}...",
                f"{fix}, or copy the file again",
            )


def check_extracted(root: Path, sums: Mapping[str, str | None], *, packed: bool) -> Iterator[Finding]:
    """Compare an extracted folder's files with its features.json.

    Args:
        root: the folder.
        sums: as in `check_files`.
        packed: whether the folder is a packed copy, whose features were rounded: only the record itself is checked.
    """
    try:
        record = read_features_record(root)
    except DataError as error:
        yield Finding.of(error, FEATURES)
        return
    if record is not None and not packed:
        yield from check_files(root, record.files, sums, what="an extracted file", fix=AGAIN)
