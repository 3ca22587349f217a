"""Readers of the object in a checkpoint file: PyTorch's archive, its older sequence of pickles, a pickle, safetensors.

Tensors are copied out of the file's bytes; everything else becomes plain data or inert stand-ins.
"""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import IO, Any, NamedTuple

import torch
from torch import Tensor

from avelzoo.errors import RunError, describe
from avelzoo.published.checkpoints.content import AGAIN, form_of
from avelzoo.published.checkpoints.unpickling import Reader, Storage

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


class Content(NamedTuple):
    """Content of a checkpoint file.

    Attributes:
        value: the saved object.
        inert: classes and functions it names; none was imported or called.
    """

    value: Any
    inert: list[str]


def load(path: Path) -> Content:
    """Read the object in a checkpoint file, whatever the file's name.

    Raises:
        RunError: the file is missing, damaged or of a kind without weights, or it contains a call that does more than
            construct a value.
        OSError: the file cannot be opened.
    """
    form = form_of(path)
    try:
        if form == "safetensors":
            from safetensors.torch import load_file

            return Content(load_file(path), [])
        with path.open("rb") as stream:
            return _in_any_encoding(_load_zip if form == "zip" else _load_pickles, stream)
    except RunError as error:
        error.where = error.where or str(path)
        raise
    except PermissionError:
        raise
    except Exception as error:
        raise RunError(
            "the checkpoint is damaged or truncated",
            where=str(path),
            found=f"{path.stat().st_size} bytes; {describe(error)}"[:200],
            expected="a file written by torch.save or safetensors",
            fix=AGAIN,
        ) from error


def _in_any_encoding(read: Callable[[IO[bytes], str], Content], stream: IO[bytes]) -> Content:
    """Decode texts of Python 2 as UTF-8, or as Latin-1 if they include NumPy's bytes."""
    try:
        return read(stream, "utf-8")
    except UnicodeDecodeError:
        stream.seek(0)
        return read(stream, "latin1")


def _load_zip(stream: IO[bytes], encoding: str) -> Content:
    """Read a zip archive: the pickle ``data.pkl``, and one record per storage."""
    with zipfile.ZipFile(stream) as archive:
        pickled = min((name for name in archive.namelist() if name.split("/")[-1] == "data.pkl"), key=len)
        folder = pickled.removesuffix("data.pkl")
        if not any(record.CRC for record in archive.infolist()):
            for record in archive.infolist():  # written without checksums, an option of torch.save
                del record.CRC
        order = f"{folder}byteorder"
        swapped = order in archive.namelist() and archive.read(order).strip() == b"big"
        kept: dict[str, Tensor] = {}

        def storage(pid: Any) -> Storage:
            dtype, key, count = _described(pid)

            def values() -> Tensor:
                if key not in kept:
                    record = archive.getinfo(f"{folder}data/{key}")
                    _require_size(record.file_size, dtype, count)
                    kept[key] = _from_bytes(archive.read(record), dtype, swapped=swapped)
                return kept[key]

            return values

        with archive.open(pickled) as content:
            reader = Reader(content, storage, _nested, encoding)
            return Content(reader.load(), reader.met)


def _load_pickles(stream: IO[bytes], encoding: str) -> Content:
    """Read the format of torch.save before 1.6, or a single pickle.

    Magic number, protocol, system, the object, the storages' keys; then each storage's length and bytes. The storages
    follow the object in the file, so the object is read twice: once for the storages' types, once with their content.
    """
    first = Reader(stream, _no_storage, _nested, encoding)
    found = first.load()
    if not isinstance(found, int) or found != LEGACY_MAGIC:
        return Content(found, first.met)
    _plain(stream)
    system = _plain(stream)
    swapped = isinstance(system, dict) and system.get("little_endian") is False
    start = stream.tell()
    types: dict[str, tuple[Any, int]] = {}

    def note(pid: Any) -> Storage:
        dtype, key, count = _described(pid)
        types[key] = (dtype, count)
        return lambda: torch.empty(count, dtype=dtype, device="meta")

    Reader(stream, note, _nested, encoding).load()
    kept: dict[str, Tensor] = {}
    for key in _keys(_plain(stream)):
        dtype, expected = types[key]
        (count,) = struct.unpack("<q", stream.read(8))
        if count != expected:
            raise RunError("a storage's length contradicts the checkpoint", found=f"{count}, not {expected}")
        data = stream.read(count * dtype.itemsize)
        _require_size(len(data), dtype, count)
        kept[key] = _from_bytes(data, dtype, swapped=swapped)
    stream.seek(start)

    def storage(pid: Any) -> Storage:
        view = pid[5] if len(pid) > 5 else None  # PyTorch 0.3: a part of a storage, its start and its length
        whole = kept[pid[2]]
        part = whole if view is None else whole[int(view[1]) : int(view[1]) + int(view[2])]
        return lambda: part

    reader = Reader(stream, storage, _nested, encoding)
    return Content(reader.load(), reader.met)


def _nested(data: bytes) -> Storage:
    """Read a storage inside a plain pickle: a small file of the older format."""
    value: Storage = _load_pickles(BytesIO(data), "utf-8").value
    return value


def _described(pid: Any) -> tuple[torch.dtype, str, int]:
    """Type, key and length of a storage."""
    _, dtype, key, _, count = pid[:5]
    if not isinstance(dtype, torch.dtype):
        raise RunError("a storage is of an unknown number format", found=getattr(dtype, "origin", str(dtype)))
    return dtype, str(key), int(count)


def _plain(stream: IO[bytes]) -> Any:
    """Read a pickle of plain data: numbers, texts, lists, dictionaries."""
    return Reader(stream, _no_storage, _nested).load()


def _no_storage(pid: Any) -> Any:
    raise RunError("the checkpoint's header is damaged", found=str(pid)[:80], fix=AGAIN)


def _keys(found: Any) -> Iterable[str]:
    if not isinstance(found, list):
        raise pickle.UnpicklingError("no list of storages")
    return map(str, found)


def _require_size(size: int, dtype: torch.dtype, count: int) -> None:
    if size != count * dtype.itemsize:
        raise RunError("the checkpoint is truncated", found=f"{size} bytes for {count} values of {dtype}", fix=AGAIN)


def _from_bytes(data: bytes, dtype: torch.dtype, *, swapped: bool) -> Tensor:
    content = bytearray(data)
    if swapped and dtype.itemsize > 1:
        width = dtype.itemsize // 2 if dtype.is_complex else dtype.itemsize
        content = bytearray(torch.frombuffer(content, dtype=torch.uint8).reshape(-1, width).flip(1).numpy().tobytes())
    return torch.frombuffer(content, dtype=dtype) if data else torch.empty(0, dtype=dtype)
