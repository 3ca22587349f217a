"""Detection of a file's format by its content; names and suffixes of checkpoints are ignored."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple, NoReturn

from avelzoo.errors import RunError, first_line, some

Form = Literal["zip", "safetensors", "pickle"]
"""Readable formats: torch.save's archive, safetensors, and pickles (torch.save before 1.6, `pickle.dump`)."""

_HEAD = 4096
AGAIN = "download or copy it again, and compare its size with the original's"
_SAVE = "torch.save(model.state_dict(), FILE)"
_UNPACK = "unpack it and name the checkpoint inside"


class Kind(NamedTuple):
    """A kind of file without readable weights.

    Attributes:
        name: description of the kind.
        fix: the remedy.
    """

    name: str
    fix: str


_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"(\xb5/\xfd": "zstd", b'\x04"M\x18': "lz4"}
_ARCHIVES = {b"7z\xbc\xaf'\x1c": "a 7z archive", b"Rar!\x1a\x07": "a RAR archive"}
_OTHERS = {
    b"\x89HDF\r\n\x1a\n": Kind(
        "an HDF5 file, such as Keras or a feature extractor writes", "name a PyTorch checkpoint"
    ),
    b"\x93NUMPY": Kind("one NumPy array (.npy), without a name", "name the file with all weights, stored by name"),
    b"GGUF": Kind("a GGUF file of a language model", "name a PyTorch checkpoint"),
    b"%PDF": Kind("a PDF document", "name a PyTorch checkpoint"),
    b"\x7fELF": Kind("a program", "name a PyTorch checkpoint"),
}


def form_of(path: Path) -> Form:
    """Detect the format of a checkpoint.

    Raises:
        RunError: the file is missing, or of a kind without readable weights; the message names the kind.
        OSError: the file cannot be opened.
    """
    _require_file(path)
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    size = path.stat().st_size
    if not head:
        _refuse(path, Kind("empty", AGAIN), found="0 bytes")
    if not head.strip(b"\0"):
        _refuse(path, Kind("blank: it begins with zero bytes only", AGAIN), found=f"{size} bytes")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        _require_archive(path, size)
        return "zip"
    _refuse_packed(path, head)
    for magic, kind in _OTHERS.items():
        if head.startswith(magic):
            _refuse(path, kind)
    if _is_safetensors(path, head, size):
        return "safetensors"
    if head[:1] == b"\x80" and head[1:2] <= b"\x05":
        return "pickle"
    return _text(path, head, size)


def _require_file(path: Path) -> None:
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir())
        unpacked = "data.pkl" in inside or any((path / name / "data.pkl").exists() for name in inside)
        raise RunError(
            "the checkpoint is a folder" + (": an unpacked archive of torch.save" if unpacked else ""),
            where=str(path),
            found=some(inside) or "nothing in it",
            expected="one file",
            fix="take the archive as it was before it was unpacked" if unpacked else "name the checkpoint file itself",
        )
    if path.is_symlink() and not path.exists():
        raise RunError(
            "the checkpoint is a link to a missing file", where=str(path), found=f"link to {path.readlink()}"
        )
    if not path.exists():
        raise RunError("checkpoint missing", where=str(path), fix="check the path")
    if not path.is_file():
        raise RunError("the checkpoint is not a regular file", where=str(path), fix="copy its content to a file")


def _require_archive(path: Path, size: int) -> None:
    """Refuse zip archives that PyTorch did not write, and those that contain a program."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise RunError(
            "the checkpoint is truncated or damaged: a zip archive (as torch.save writes) without a readable end",
            where=str(path),
            found=f"{size} bytes; {error}",
            fix=AGAIN,
        ) from error
    tops = {name.partition("/")[2] for name in names} | set(names)
    if "constants.pkl" in tops or any(name.startswith("code/") for name in tops):
        fix = f"if you trust its origin: {_SAVE.replace('model', 'torch.jit.load(OLD)')}"
        _refuse(path, Kind("a TorchScript archive: a program with its weights", fix))
    if "data.pkl" in tops:
        return
    if any(name.endswith("serialized_exported_program.json") or "models/model.json" in name for name in names):
        _refuse(path, Kind("a torch.export archive: a program with its weights", f"save only the weights: {_SAVE}"))
    if names and all(name.endswith(".npy") for name in names):
        fix = "torch.save({name: torch.from_numpy(array) for name, array in numpy.load(OLD).items()}, NEW)"
        _refuse(path, Kind("a NumPy archive (.npz)", fix), found=some(names))
    _refuse(path, Kind("a zip archive without a checkpoint of torch.save", _UNPACK), found=some(names) or "no entries")


def _refuse_packed(path: Path, head: bytes) -> None:
    for magic, name in _PACKED.items():
        if head.startswith(magic):
            _refuse(path, Kind(f"compressed by {name}", "decompress it and name the checkpoint inside"))
    for magic, name in _ARCHIVES.items():
        if head.startswith(magic):
            _refuse(path, Kind(name, _UNPACK))
    if head[257:262] == b"ustar":
        _refuse(path, Kind("a tar archive", _UNPACK), found=head[:100].rstrip(b"\0").decode("utf-8", "replace"))


def _is_safetensors(path: Path, head: bytes, size: int) -> bool:
    """Whether a file is safetensors: eight bytes with the length of a JSON header, the header, the tensors."""
    length = int.from_bytes(head[:8], "little")
    if len(head) < 9 or head[8:9] != b"{" or not 2 <= length < 2**32:
        return False
    if length > size - 8:
        raise RunError(
            "the checkpoint is truncated: its safetensors header is longer than the file",
            where=str(path),
            found=f"{size} bytes",
            expected=f"at least {length + 8} bytes",
            fix=AGAIN,
        )
    return True


def _text(path: Path, head: bytes, size: int) -> NoReturn:
    """Identify a text file, or bytes of an unknown kind."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head.decode("utf-16", "ignore")
    else:
        try:
            text = head.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if error.start < len(head) - 3 or len(head) < _HEAD:  # not a character split by the end of the block
                _refuse(path, Kind("of an unknown kind", AGAIN), found=f"{size} bytes that begin with {head[:8]!r}")
            text = head[: error.start].decode("utf-8-sig")
    text = text.strip()
    for test, describe in _TEXTS:
        if test(text):
            kind, found = describe(text)
            _refuse(path, kind, found=found)
    if any(ord(letter) < 32 and letter not in "\t\r\n\f" for letter in text):
        _refuse(path, Kind("of an unknown kind", AGAIN), found=f"{size} bytes that begin with {head[:8]!r}")
    _refuse(path, Kind("a text file", AGAIN), found=repr(first_line(text)))


def _pointer(text: str) -> tuple[Kind, str]:
    size = re.search(r"^size (\d+)", text, re.MULTILINE)
    of = f" of {int(size[1])} bytes" if size else ""
    return Kind(f"a Git LFS pointer: the checkpoint itself{of} was not fetched", "git lfs pull, in its repository"), ""


def _annex(text: str) -> tuple[Kind, str]:
    return Kind("a git-annex pointer: the checkpoint itself was not fetched", "git annex get FILE, there"), text[:100]


def _page(text: str) -> tuple[Kind, str]:
    title = re.search(r"<title[^>]*>([^<]*)", text, re.IGNORECASE)
    fix = "open the link in a browser, confirm the download, and save the file itself"
    return Kind("a web page instead of the file", fix), " ".join(title[1].split()) if title else first_line(text)


def _json(text: str) -> tuple[Kind, str]:
    if '"weight_map"' in text:
        return Kind("the index of a checkpoint in several files", "name a checkpoint in one file"), ""
    return Kind("JSON text", "name the file with the weights, not its description"), first_line(text)


def _looks_like_json(text: str) -> bool:
    if not text.startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except ValueError:
        return bool(re.match(r'[\[{]\s*(["\[{\]}\d]|true|false|null)', text))
    return True


_TEXTS: tuple[tuple[Callable[[str], bool], Callable[[str], tuple[Kind, str]]], ...] = (
    (lambda text: text.startswith("version https://git-lfs.github.com/"), _pointer),
    (lambda text: "/annex/objects/" in first_line(text), _annex),
    (lambda text: bool(re.match(r"(<!--.*?-->\s*)*<(!doctype|html|head|body|\?xml|error)", text, re.I | re.S)), _page),
    (_looks_like_json, _json),
)


def _refuse(path: Path, kind: Kind, *, found: str = "") -> NoReturn:
    raise RunError(
        f"the checkpoint is {kind.name}",
        where=str(path),
        found=found,
        expected="a file written by torch.save or safetensors",
        fix=kind.fix,
    )
