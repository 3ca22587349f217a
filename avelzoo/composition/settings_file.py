"""Settings files: TOML with one table per slot. Errors name the line."""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from avelzoo.components import KINDS
from avelzoo.composition.recipe import RECORDS, SLOTS
from avelzoo.config import options
from avelzoo.errors import DataError, UsageError, did_you_mean, reason

_WIDE = {codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32"}
_WIDE |= {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
_ENCODE = "save it as UTF-8 text"
_PATHS = r"write paths with forward slashes, as in 'C:/data', or in single quotes, as in 'C:\data'"
_PLACE = re.compile(r" \(at (?:(line (\d+)), column \d+|end of document)\)$")


def read_settings(file: Path) -> dict[str, dict[str, Any]]:
    """The tables of a settings file, by slot.

    Raises:
        DataError: the file cannot be read, is not UTF-8, or is not valid TOML.
        UsageError: an entry is not a table of a slot.
    """
    text = _decode(file, _bytes(file))
    try:
        tables = tomllib.loads(text)
    except RecursionError as error:
        raise DataError("the settings file is nested too deeply", where=str(file)) from error
    except ValueError as error:
        raise _invalid(file, text, str(error)) from error
    for slot, table in tables.items():
        _require_table(file, slot, table)
    for key, value in _texts(tables):
        if any(ord(c) < 32 for c in value):
            raise DataError(
                f"the value of '{key}' contains a control character",
                where=str(file),
                found=repr(value),
                fix=rf"inside double quotes \t is a tab and \n a new line: {_PATHS}",
            )
    return tables


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        near = ""
        if file.parent.is_dir():
            near = did_you_mean(file.name, (path.name for path in file.parent.glob("*.toml")))
        raise DataError(f"the settings file does not exist{near}", where=str(file)) from error
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read the settings file: {reason(error)}", where=str(file)) from error


def _decode(file: Path, data: bytes) -> str:
    wide = next((name for mark, name in _WIDE.items() if data.startswith(mark)), None)
    if wide is not None:
        raise DataError(f"the settings file is {wide}, not UTF-8", where=str(file), fix=_ENCODE)
    if b"\0" in data:
        raise DataError(
            "the settings file is not UTF-8 text",
            where=f"{file}, line {_line(data, data.index(0))}",
            found="a NUL byte, as in binary files and in UTF-16",
            fix=_ENCODE,
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            "the settings file is not UTF-8 text",
            where=f"{file}, line {_line(data, error.start)}",
            found=f"the byte 0x{data[error.start]:02x}, as in Latin-1 and Windows encodings",
            fix=_ENCODE,
        ) from error


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def _invalid(file: Path, text: str, message: str) -> DataError:
    position = _PLACE.search(message)
    line = int(position[2]) if position and position[2] else 0
    fault = text.split("\n")[line - 1].strip() if line else ""
    fix = "see https://toml.io for the format"
    if "\\" in fault:
        fix = _PATHS
    elif "twice" in message or "overwrite" in message:
        fix = "write each key and each [table] once"
    return DataError(
        f"the settings file is not valid TOML: {_PLACE.sub('', message).split(';')[0]}",
        where=f"{file}, {position[1] or 'at its end'}" if position else str(file),
        found=fault[:100],
        fix=fix,
    )


def _require_table(file: Path, slot: str, table: Any) -> None:
    expected = "one table per slot: " + ", ".join(f"[{s}]" for s in SLOTS)
    if slot not in SLOTS:
        of = next((name for name, record in RECORDS.items() if slot in {o.name for o in options(record)}), None)
        raise UsageError(
            f"unexpected entry '{slot}' in the settings file" + did_you_mean(slot, SLOTS),
            where=str(file),
            expected=expected,
            fix=f"write '{slot}' below the line [{of}]" if of else "",
        )
    if isinstance(table, list) and table and all(isinstance(item, dict) for item in table):
        raise UsageError(
            f"[[{slot}]] is a list of tables; a slot has one table",
            where=str(file),
            expected=f"[{slot}]",
            fix="write single brackets, and the table once",
        )
    if not isinstance(table, dict):
        raise UsageError(
            f"'{slot}' is a value; a slot is a table",
            where=str(file),
            found=f"{slot} = {table!r}",
            expected=f"[{slot}]",
            fix=f"choose a component with `name` in the table [{slot}]" if slot in KINDS else "",
        )
    name = table.get("name", slot)
    if slot in KINDS and not (isinstance(name, str) and name):
        raise UsageError(
            f"the name of the {slot} is not a string", where=str(file), found=repr(name), expected='name = "..."'
        )


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every string inside a value, with its dotted key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, key)
