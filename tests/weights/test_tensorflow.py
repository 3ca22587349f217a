"""The reader of TensorFlow checkpoints, on tables written here entry by entry."""

from __future__ import annotations

import numpy as np
import pytest

from avelzoo.errors import DataError
from avelzoo.weights.tensorflow import read_variables

MAGIC = bytes.fromhex("57fb808b247547db")
TYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "bool": 10, "float16": 19}


def varint(number: int) -> bytes:
    parts = []
    while True:
        number, low = number >> 7, number & 127
        parts.append(low | (128 if number else 0))
        if not number:
            return bytes(parts)


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def entry(dtype: int, shape: tuple[int, ...], offset: int, size: int, shard: int = 0) -> bytes:
    dims = b"".join(field(2, field(1, n)) for n in shape)
    checksum = varint(6 << 3 | 5) + b"\1\2\3\4"
    return field(1, dtype) + field(2, dims) + field(3, shard) + field(4, offset) + field(5, size) + checksum


def masked_crc(data: bytes) -> bytes:
    """CRC-32C bit by bit, as LevelDB stores it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 * (crc & 1))
    crc ^= 0xFFFFFFFF
    return ((((crc >> 15) | (crc << 17)) + 0xA282EAD8) % 2**32).to_bytes(4, "little")


def block(items: dict[bytes, bytes], kind: int = 0) -> bytes:
    """A block: keys by what they add to the one before, one restart point, type and checksum."""
    made, last = b"", b""
    for key, value in sorted(items.items()):
        shared = next((i for i, (a, b) in enumerate(zip(key, last, strict=False)) if a != b), min(len(key), len(last)))
        made += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    made += bytes(4) + (1).to_bytes(4, "little") + bytes([kind])
    return made + masked_crc(made)


def table(*blocks: dict[bytes, bytes], kind: int = 0) -> bytes:
    made, handles = b"", {}
    for items in blocks:
        content = block(items, kind)
        handles[max(items)] = varint(len(made)) + varint(len(content) - 5)
        made += content
    index = block(handles)
    footer = varint(0) + varint(0) + varint(len(made)) + varint(len(index) - 5)
    return made + index + footer.ljust(40, b"\0") + MAGIC


def write(folder, variables: dict[str, np.ndarray], **extra: bytes):
    data, items = b"", {b"": field(1, 1)}
    for name, values in variables.items():
        raw = np.ascontiguousarray(values).tobytes()
        items[name.encode()] = entry(TYPES[values.dtype.name], values.shape, len(data), len(raw))
        data += raw
    items |= {name.encode(): value for name, value in extra.items()}
    names = sorted(items)
    half = len(names) // 2
    index, content = folder / "model.index", folder / "model.data-00000-of-00001"
    index.write_bytes(table({n: items[n] for n in names[:half]}, {n: items[n] for n in names[half:]}))
    content.write_bytes(data)
    return index, content


@pytest.fixture
def variables() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "net/layer-1/kernel": rng.normal(size=(3, 3, 2, 5)).astype(np.float32),
        "net/layer-1/bias": rng.normal(size=5),
        "net/layer-10/kernel": rng.normal(size=(200, 3)).astype(np.float16),
        "step": np.array(123456789012, np.int64),
        "sizes": np.arange(7, dtype=np.int32),
        "flags": np.array([True, False]),
    }


def test_every_variable_comes_back(tmp_path, variables):
    found = read_variables(*write(tmp_path, variables))
    assert found.keys() == variables.keys()
    for name, values in variables.items():
        assert found[name].dtype == values.dtype
        assert found[name].shape == values.shape
        assert np.array_equal(found[name], values)


def test_texts_and_slices_are_left_out(tmp_path, variables):
    text = entry(7, (), 0, 3)
    sliced = entry(1, (4,), 0, 16) + field(7, b"")
    assert read_variables(*write(tmp_path, variables, graph=text, part=sliced)).keys() == variables.keys()


@pytest.mark.parametrize(
    "content", [b"", b"<!DOCTYPE html><html>" * 9, bytes(200), bytes(152) + MAGIC, b"\xff" * 192 + MAGIC]
)
def test_another_file_is_refused(tmp_path, variables, content):
    index, data = write(tmp_path, variables)
    index.write_bytes(content)
    with pytest.raises(DataError, match="index of a TensorFlow checkpoint") as caught:
        read_variables(index, data)
    assert str(index) in caught.value.where


def test_half_an_index_is_refused(tmp_path, variables):
    index, data = write(tmp_path, variables)
    whole = index.read_bytes()
    for size in (len(whole) // 2, len(whole) - 1):
        index.write_bytes(whole[:size])
        with pytest.raises(DataError, match="no index"):
            read_variables(index, data)
    index.write_bytes(whole[-120:])  # the end alone
    with pytest.raises(DataError, match="index of a TensorFlow checkpoint"):
        read_variables(index, data)


def test_half_the_data_is_refused(tmp_path, variables):
    index, data = write(tmp_path, variables)
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(DataError, match="incomplete") as caught:
        read_variables(index, data)
    assert caught.value.where == str(data)


def test_a_missing_file_is_named(tmp_path, variables):
    index, data = write(tmp_path, variables)
    data.unlink()
    with pytest.raises(DataError, match="cannot be read") as caught:
        read_variables(index, data)
    assert caught.value.where == str(data)


def test_contradictions_are_refused(tmp_path, variables):
    wrong = entry(1, (3, 3), 0, 16)
    with pytest.raises(DataError, match="contradicts itself"):
        read_variables(*write(tmp_path, variables, wrong=wrong))
    parts = entry(1, (4,), 0, 16, shard=1)
    with pytest.raises(DataError, match="incomplete") as caught:
        read_variables(*write(tmp_path, variables, parts=parts))
    assert "part 1" in caught.value.found


def test_compressed_tables_are_refused(tmp_path, variables):
    index, data = write(tmp_path, variables)
    index.write_bytes(table({b"a": b""}, kind=1))
    with pytest.raises(DataError, match="compressed"):
        read_variables(index, data)


def test_one_wrong_byte_of_the_index_is_refused(tmp_path, variables):
    index, data = write(tmp_path, variables)
    whole = index.read_bytes()
    footer = len(whole) - 48
    unused = {footer, footer + 1, *range(footer + 5, footer + 40)}  # metadata, which nobody writes, and padding
    for at in set(range(0, len(whole), 3)) - unused:
        broken = bytearray(whole)
        broken[at] ^= 0x55
        index.write_bytes(broken)
        with pytest.raises(DataError, match="index of a TensorFlow checkpoint"):
            read_variables(index, data)
