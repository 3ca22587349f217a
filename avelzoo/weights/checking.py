"""Whether a file can be weights: complete, not a web page, with the publisher's checksum."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

from avelzoo.errors import reason

_HEAD = 512
_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head")
_POINTER = b"version https://git-lfs.github.com/spec"
_ZIP = b"PK\x03\x04"


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fault(path: Path, expected: str = "", md5: str = "") -> str:
    """Why a file cannot be these weights, in one phrase; empty if nothing speaks against it.

    Args:
        path: the file; it exists.
        expected: the publisher's SHA-256; empty if unknown.
        md5: the publisher's MD5; empty if unknown.
    """
    try:
        return _form(path) or _checksum(path, "SHA-256", expected) or _checksum(path, "MD5", md5)
    except OSError as error:
        return f"a file that cannot be read: {reason(error)}"


def _form(path: Path) -> str:
    if path.is_dir():
        return "a folder, not a file"
    size = path.stat().st_size
    if size == 0:
        return "an empty file, 0 bytes"
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.lstrip().lower().startswith(_PAGES):
        return "a web page, not the file that it links to"
    if head.startswith(_POINTER):
        return "a Git LFS pointer, not the file that it stands for"
    if path.suffix == ".safetensors" and (promised := _safetensors_size(path)) != size:
        return f"an incomplete file: {size:,} bytes" + (f" of {promised:,}" if promised else "")
    if head.startswith(_ZIP) and not zipfile.is_zipfile(path):
        return f"an incomplete file: {size:,} bytes, its end is missing"
    return ""


def _safetensors_size(path: Path) -> int:
    """Bytes that the header of a safetensors file promises; 0 if the header itself is cut off."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length) if length < path.stat().st_size else b""
    try:
        entries = json.loads(header)
    except ValueError:
        return 0
    return 8 + length + max((e["data_offsets"][1] for k, e in entries.items() if k != "__metadata__"), default=0)


def _checksum(path: Path, kind: str, expected: str) -> str:
    if not expected:
        return ""
    if kind == "MD5":
        with path.open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    else:
        found = sha256(path)
    if found == expected:
        return ""
    return f"another or a damaged file: {kind} {found[:16]}..., not {expected[:16]}..."
