"""Checksums of files of any size in constant memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

BLOCK = 1 << 20
WHOLE = 8 << 20
"""Files up to this many bytes are summed up whole even where a sample would do."""
SAMPLES = 16


def sha256(path: Path, tick: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a whole file, in hexadecimal; ``tick`` hears of every block's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            if tick is not None:
                tick(len(block))
    return digest.hexdigest()


def fingerprint(path: Path, others: Sequence[Path] = ()) -> str:
    """What identifies a file: its size and a checksum, of samples where it is large.

    Sixteen evenly spaced blocks of 64 KiB, the first and the last among them, stand for a file of more than 8 MiB:
    another data set, another order of rows or a file written anew shows up, a single changed number may not.

    Args:
        path: the file.
        others: files that it refers to for its content; their names do not count, so that a folder can move.
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
