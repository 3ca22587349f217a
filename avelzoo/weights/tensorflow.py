"""Reader of TensorFlow checkpoints (version 2, also the variables of a SavedModel): NumPy alone, no TensorFlow.

The index is a table of LevelDB: blocks of sorted keys, each key given by what it adds to the one before; a footer with
the place of the block that lists the blocks; each block has a checksum. A value is a small protocol-buffer message:
type, shape and place of a tensor. The data file has the tensors' bytes, little-endian.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from avelzoo.errors import DataError, reason

_FOOTER = 48
_MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")
_TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 4: "<u1", 5: "<i2", 6: "<i1", 9: "<i8", 10: "?", 17: "<u2", 19: "<f2"}
"""NumPy's name of TensorFlow's types; texts, complex numbers and bfloat16 are skipped."""
_AGAIN = "get the checkpoint again; its index and data file belong together"


@dataclass(frozen=True)
class _Entry:
    """Place of a tensor in the data file."""

    dtype: int = 0
    shape: tuple[int, ...] = ()
    shard: int = 0
    offset: int = 0
    size: int = 0
    slices: bool = field(default=False)


def read_variables(index: Path, data: Path) -> dict[str, np.ndarray]:
    """Variables of a checkpoint by name; those that are not numbers are left out.

    Args:
        index: the file ``NAME.index``.
        data: the file ``NAME.data-00000-of-00001``.

    Raises:
        DataError: a file is missing, damaged, of another checkpoint or of another kind.
    """
    table, content = _bytes(index), _bytes(data)
    try:
        entries = {name: _entry(value) for name, value in _table(table) if name}
    except DataError as error:
        error.where = str(index)
        raise
    except (IndexError, ValueError, OverflowError) as error:
        raise DataError(
            "the index of a TensorFlow checkpoint is damaged", where=str(index), found=str(error), fix=_AGAIN
        ) from error
    return {
        name: _values(name, entry, content, data)
        for name, entry in entries.items()
        if entry.dtype in _TYPES and not entry.slices
    }


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            "a file of a TensorFlow checkpoint cannot be read", where=str(path), found=reason(error), fix=_AGAIN
        ) from error


def _values(name: str, entry: _Entry, content: bytes, data: Path) -> np.ndarray:
    dtype = np.dtype(_TYPES[entry.dtype])
    end = entry.offset + entry.size
    if entry.shard or end > len(content):
        raise DataError(
            "the data file of a TensorFlow checkpoint is incomplete",
            where=str(data),
            found=f"{len(content):,} bytes" + (f", variable in part {entry.shard}" if entry.shard else ""),
            expected=f"at least {end:,} bytes in one file, for {name}",
            fix=_AGAIN,
        )
    if entry.size != math.prod(entry.shape) * dtype.itemsize:
        raise DataError(
            "the index of a TensorFlow checkpoint contradicts itself",
            where=name,
            found=f"{entry.size} bytes",
            expected=f"{entry.shape} of {dtype}",
            fix=_AGAIN,
        )
    return np.frombuffer(content[entry.offset : end], dtype).reshape(entry.shape)


def _table(table: bytes) -> Iterator[tuple[str, bytes]]:
    """Keys and values of a table."""
    footer = table[-_FOOTER:]
    if len(footer) < _FOOTER or not footer.endswith(_MAGIC):
        raise DataError(
            "the file is no index of a TensorFlow checkpoint, or its end is missing",
            found=f"{len(table):,} bytes that end in {table[-8:]!r}",
            expected="the table NAME.index that TensorFlow writes beside NAME.data-00000-of-00001",
            fix=_AGAIN,
        )
    at = _skip_handle(footer, 0)  # the block of metadata
    for _, handle in _block(table, footer, at):
        for key, value in _block(table, handle, 0):
            yield key.decode(), value


def _block(table: bytes, handle: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of the block that a handle points to."""
    offset, at = _varint(handle, at)
    size, _ = _varint(handle, at)
    if offset + size + 5 > len(table):
        raise DataError("the index of a TensorFlow checkpoint is incomplete", found=f"{len(table):,} bytes", fix=_AGAIN)
    if table[offset + size]:
        raise DataError(
            "the index of a TensorFlow checkpoint is compressed",
            fix="save the checkpoint again with TensorFlow's own writer, which does not compress",
        )
    if _masked_crc(table[offset : offset + size + 1]) != int.from_bytes(table[offset + size + 1 :][:4], "little"):
        raise DataError("the index of a TensorFlow checkpoint is damaged", found="a wrong checksum", fix=_AGAIN)
    block = table[offset : offset + size]
    end = size - 4 - 4 * int.from_bytes(block[-4:], "little")  # restart points, and how many there are
    key, at = b"", 0
    while at < end:
        shared, at = _varint(block, at)
        added, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + added]
        at += added
        yield key, block[at : at + length]
        at += length


def _masked_crc(data: bytes) -> int:
    """CRC-32C, rotated and shifted as LevelDB stores it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _remainder(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_CRC = tuple(map(_remainder, range(256)))


def _skip_handle(data: bytes, at: int) -> int:
    return _varint(data, _varint(data, at)[1])[1]


def _entry(message: bytes) -> _Entry:
    """BundleEntryProto."""
    found = dict(_fields(message))
    shape = found.get(2, b"")
    sizes = [dict(_fields(size)).get(1, 0) for number, size in _fields(_text(shape)) if number == 2]
    return _Entry(
        dtype=_number(found.get(1, 0)),
        shape=tuple(map(_number, sizes)),
        shard=_number(found.get(3, 0)),
        offset=_number(found.get(4, 0)),
        size=_number(found.get(5, 0)),
        slices=7 in found,
    )


def _fields(message: bytes | int) -> Iterator[tuple[int, bytes | int]]:
    """Numbers and values of a protocol-buffer message; fixed-size numbers stay bytes."""
    data, at = _text(message), 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, form = tag >> 3, tag & 7
        if form == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if form not in (1, 2, 5):
            raise ValueError(f"field {number} has form {form}")
        length, at = _varint(data, at) if form == 2 else ({1: 8, 5: 4}[form], at)
        yield number, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits per byte, lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _number(value: bytes | int) -> int:
    if isinstance(value, bytes):
        raise ValueError(f"bytes {value!r} in place of a number")  # noqa: TRY004, the file is wrong, not the caller
    return value


def _text(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise ValueError(f"number {value} in place of a message")  # noqa: TRY004, the file is wrong, not the caller
    return value
