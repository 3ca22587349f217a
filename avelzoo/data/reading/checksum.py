"""Checksums of files of any size in constant memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

BLOCK = 1 << 20
WHOLE = 8 << 20
"""Size in bytes up to which a fingerprint uses the whole file."""
SAMPLES = 16


def sha256(path: Path, tick: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a whole file, in hexadecimal; ``tick`` is called with every block's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            if tick is not None:
                tick(len(block))
    return digest.hexdigest()


def fingerprint(path: Path, others: Sequence[Path] = ()) -> str:
    """Identify a file by its size and a checksum; large files are sampled.

    For a file of more than 8 MiB, the checksum covers sixteen evenly spaced blocks of 64 KiB, including the first and
    the last. It detects another data set, another order of rows or a rewritten file, but may miss a single changed
    number.

    Args:
        path: the file.
        others: files that hold part of its content; their names are ignored, so a folder can be moved.
    """
    if others:
        digest = hashlib.sha256("\n".join(map(fingerprint, others)).encode())
        return f"{fingerprint(path)}; with {len(others)} other files, sha256 {digest.hexdigest()}"
    size = path.stat().st_size
    if size <= WHOLE:
        return f"{size} bytes, sha256 {sha256(path)}"
    digest = hashlib.sha256()
    block = BLOCK // 16
    with path.open("rb") as file:
        for i in range(SAMPLES):
            file.seek((size - block) * i // (SAMPLES - 1))
            digest.update(file.read(block))
    return f"{size} bytes, sampled sha256 {digest.hexdigest()}"
