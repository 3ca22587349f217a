"""Files are judged by what is in them, and each refusal names the file and what it is."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save, save_file

from avelzoo.errors import RunError
from avelzoo.published.checkpoints import read_checkpoint

STATE = {"a": torch.arange(300.0), "b": torch.ones(20, 2)}


def saved(**options) -> bytes:
    content = io.BytesIO()
    torch.save(STATE, content, **options)
    return content.getvalue()


def packed(kind: str) -> bytes:
    content = io.BytesIO()
    if kind == "tar":
        with tarfile.open(fileobj=content, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("inner.pt"))
    elif kind == "zip":
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("inner.pt", saved())
    elif kind == "script":
        with zipfile.ZipFile(content, "w") as archive:
            for name in ("net/data.pkl", "net/constants.pkl", "net/code/__torch__.py"):
                archive.writestr(name, "")
    elif kind == "npz":
        np.savez(content, a=np.ones(2))
    elif kind == "npy":
        np.save(content, np.ones(2))
    return content.getvalue()


WHOLE, LEGACY, TENSORS = saved(), saved(_use_new_zipfile_serialization=False), save(STATE)
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
KINDS = {
    "empty": (b"", "empty", "0 bytes"),
    "zeros": (bytes(9000), "zero bytes only", "9000"),
    "page": (b"<!DOCTYPE html><html><title>Virus scan\n warning</title>", "a web page", "Virus scan warning"),
    "page with a comment": (b"\n<!-- x -->\n<HTML><body>", "a web page", ""),
    "page in UTF-16": ("<!DOCTYPE html><title>Quota</title>".encode("utf-16"), "a web page", "Quota"),
    "error page": (b'<?xml version="1.0"?><Error><Code>AccessDenied', "a web page", "AccessDenied"),
    "gzip": (gzip.compress(WHOLE), "compressed by gzip", ""),
    "bzip2": (bz2.compress(WHOLE), "compressed by bzip2", ""),
    "xz": (lzma.compress(WHOLE), "compressed by xz", ""),
    "7z": (b"7z\xbc\xaf'\x1c" + bytes(99), "a 7z archive", ""),
    "tar": (packed("tar"), "a tar archive", "inner.pt"),
    "zip": (packed("zip"), "a zip archive without", "inner.pt"),
    "TorchScript": (packed("script"), "a TorchScript archive", ""),
    "npz": (packed("npz"), r"a NumPy archive \(.npz\)", "a.npy"),
    "npy": (packed("npy"), r"one NumPy array \(.npy\)", ""),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file", ""),
    "LFS pointer": (LFS, "a Git LFS pointer: the checkpoint itself of 12345 bytes", ""),
    "annex pointer": (b"../.git/annex/objects/xx", "a git-annex pointer", ""),
    "JSON": (b'{\n "lr": 1}', "JSON text", "{"),
    "index": (b'{"metadata": {}, "weight_map": {"a": "b"}}', "the index of a checkpoint in several files", ""),
    "text": (b"\xef\xbb\xbfhello\nworld", "a text file", "'hello'"),
    "bytes": (bytes(range(128, 255)), "of an unknown kind", "127 bytes"),
    "cut zip": (WHOLE[:-10], "truncated or damaged: a zip archive", f"{len(WHOLE) - 10} bytes"),
    "beginning of a zip": (WHOLE[:4], "truncated or damaged: a zip archive", "4 bytes"),
    "cut legacy": (LEGACY[:-10], "the checkpoint is truncated", "bytes for"),
    "beginning of legacy": (LEGACY[:40], "damaged or truncated", "40 bytes"),
    "cut tensors": (TENSORS[:-10], "damaged or truncated", "bytes"),
    "cut header": (TENSORS[:30], "safetensors header is longer", "30 bytes"),
    "flipped": (WHOLE.replace(np.float32(150).tobytes(), b"\xff\xff\xff\xff", 1), "damaged or truncated", "CRC"),
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".pt", ".safetensors", ""])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_named_whatever_the_file_is_called(tmp_path, kind, suffix):
    content, said, found = KINDS[kind]
    file = tmp_path / f"x{suffix}"
    file.write_bytes(content)
    with pytest.raises(RunError, match=said) as fault:
        read_checkpoint(file)
    assert fault.value.where == str(file)
    assert found in fault.value.found
    assert fault.value.fix


@pytest.mark.parametrize("name", ["x.pt", "x.safetensors", "x.pth.tar", "x"])
def test_what_is_read_whatever_it_is_called(tmp_path, name):
    unchecked = io.BytesIO()
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(STATE, unchecked)
    finally:
        torch.serialization.set_crc32_options(True)
    deflated = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as old, zipfile.ZipFile(deflated, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, old.read(entry))
    for content in (WHOLE, LEGACY, TENSORS, unchecked.getvalue(), deflated.getvalue()):
        (tmp_path / name).write_bytes(content)
        read = read_checkpoint(tmp_path / name).state
        assert read.keys() == STATE.keys()
        assert all(torch.equal(read[key], value) for key, value in STATE.items())


def test_numbers_of_a_big_endian_machine(tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as old, zipfile.ZipFile(content, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            if entry.endswith("byteorder"):
                data = b"big"
            elif "/data/" in entry:
                data = np.frombuffer(data, "<f4").astype(">f4").tobytes()
            new.writestr(entry, data)
    (tmp_path / "x.pt").write_bytes(content.getvalue())
    assert torch.equal(read_checkpoint(tmp_path / "x.pt").state["a"], STATE["a"])


def test_places_without_a_file(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "unpacked" / "archive").mkdir(parents=True)
    (tmp_path / "unpacked" / "archive" / "data.pkl").write_bytes(b"")
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    for name, said in {
        "gone": "checkpoint missing",
        "empty": "the checkpoint is a folder",
        "unpacked": "an unpacked archive of torch.save",
        "link": "a link to a missing file",
        "pipe": "not a regular file",
    }.items():
        with pytest.raises(RunError, match=said) as fault:
            read_checkpoint(tmp_path / name)
        assert fault.value.where == str(tmp_path / name)


def test_safetensors_under_their_own_name(tmp_path: Path):
    save_file(STATE, tmp_path / "x.safetensors")
    assert torch.equal(read_checkpoint(tmp_path / "x.safetensors").state["a"], STATE["a"])
