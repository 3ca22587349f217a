"""The fingerprint of a journal: one output folder, one way to extract."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from avelzoo.data.reading.features_record import JOURNAL, MANIFEST
from avelzoo.errors import UsageError, some
from avelzoo.system.files import storage_error, write_json

FORMAT = 1


def begin_manifest(journal: Path, fingerprint: Mapping[str, Any]) -> None:
    """Write the fingerprint of a new journal, or check that an earlier one has it.

    Raises:
        UsageError: the journal belongs to another extraction, or the output folder holds other files.
        StorageError: the folder cannot be written.
    """
    wanted = {"format": FORMAT} | json.loads(json.dumps(fingerprint))
    manifest = journal / MANIFEST
    if manifest.exists():
        _require_same(manifest, wanted)
        return
    _require_free(journal.parent)
    try:
        journal.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, journal) from error
    write_json(manifest, wanted)


def _require_free(out: Path) -> None:
    """Refuse an output folder with other files, which would be overwritten."""
    if out.exists() and not out.is_dir():
        raise UsageError("the output folder is a file", where=str(out), fix="choose another folder with --out")
    present = sorted(path.name for path in out.iterdir() if path.name != JOURNAL) if out.exists() else []
    if present:
        raise UsageError(
            "the output folder holds other files",
            where=str(out),
            found=some(present, 5),
            expected="a new or empty folder, or that of an earlier extraction",
            fix="choose another folder with --out",
        )


def _require_same(manifest: Path, wanted: Mapping[str, Any]) -> None:
    try:
        there = json.loads(manifest.read_text("utf-8"))
    except (OSError, ValueError):
        there = {}
    require_same(there, wanted, "the folder holds another extraction", where=manifest.parent.parent)


def require_same(there: Mapping[str, Any], wanted: Mapping[str, Any], problem: str, *, where: Path) -> None:
    """Refuse to continue a folder with other settings than its own.

    Args:
        there: settings of the folder.
        wanted: settings of the request.
        problem: the fact, for the error.
        where: the folder.

    Raises:
        UsageError: they differ; the error has both values.
    """
    if there == wanted:
        return
    here, asked = (_leaves(one) for one in (there, wanted))
    names = [name for name in dict.fromkeys([*here, *asked]) if here.get(name) != asked.get(name)]
    raise UsageError(
        problem,
        where=str(where),
        found=some([f"{name} = {here.get(name)}" for name in names], 6),
        expected=some([f"{name} = {asked.get(name)}" for name in names], 6) + ", as requested",
        fix="choose another folder with --out, or repeat the options of the earlier call",
    )


def _leaves(data: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(data, Mapping):
        return {name: data}
    found: dict[str, Any] = {}
    for key, value in data.items():
        found |= _leaves(value, f"{name}.{key}" if name else key)
    return found
