"""Reading checkpoints in which a whole module was pickled, without importing or calling anything that they name.

Some public checkpoints hold the model object instead of its state dict. Unpickling such a file would import the
authors' modules and run what it says. Here every class it names becomes an inert container, tensors are rebuilt from
their raw bytes, and the state dict is read off the containers' ``_modules``, ``_parameters`` and ``_buffers``. Both of
PyTorch's file formats are read: the zip archive, and the older one in a row of pickles (PyTorch 0.3 to 1.5).
"""

from __future__ import annotations

import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from avelzoo.errors import RunError

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_TYPES: dict[str, torch.dtype] = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


class Inert:
    """Stands for an object of any class: keeps its state, does nothing."""

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state if isinstance(state, dict) else {"state": state})


class _Parameter(Inert):
    """A pickled parameter of PyTorch 0.3: its data is the first argument."""


def read_module_state(path: Path) -> dict[str, Tensor]:
    """The state dict of the module pickled in a file.

    Raises:
        RunError: the file names something no module needs, is damaged, or holds no module.
    """
    try:
        loaded = _load_zip(path) if zipfile.is_zipfile(path) else _load_legacy(path)
    except RunError:
        raise
    except Exception as error:
        raise RunError(
            f"the pickled module cannot be read: {type(error).__name__}: {error}"[:300],
            where=str(path),
            fix="where you trust its origin, load it with the authors' code and save model.state_dict()",
        ) from error
    state = dict(_tensors_of(loaded))
    if not state:
        raise RunError("the file holds no module with tensors", where=str(path), found=type(loaded).__name__)
    return state


def _tensors_of(module: Any, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Names and tensors of a container in the order of a state dict."""
    if isinstance(module, Mapping):  # a dictionary around the module, as some training scripts save
        for value in module.values():
            yield from _tensors_of(value, prefix)
        return
    if not isinstance(module, Inert):
        return
    for kind in ("_parameters", "_buffers"):
        for name, value in (getattr(module, kind, None) or {}).items():
            tensor = value.args[0] if isinstance(value, _Parameter) else value
            if isinstance(tensor, Tensor):
                yield prefix + name, tensor
    for name, child in (getattr(module, "_modules", None) or {}).items():
        yield from _tensors_of(child, f"{prefix}{name}.")


class _Reader(pickle.Unpickler):
    """Finds inert stand-ins for classes, and storages by the file's own keys."""

    def __init__(self, stream: IO[bytes], storage: Callable[[Any], Any]) -> None:
        super().__init__(stream, encoding="utf-8")
        self._storage = storage

    def find_class(self, module: str, name: str) -> Any:
        """A stand-in; never the thing itself, but for ordered dictionaries.

        Raises:
            RunError: no pickled module needs this name.
        """
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor"): _rebuild,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
            ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
            ("torch.nn.parameter", "Parameter"): _Parameter,
            ("builtins", "set"): Inert,
            ("__builtin__", "set"): Inert,
            ("torch", "Size"): Inert,
        }
        if (module, name) in known:
            return known[module, name]
        if module in ("torch", "torch.cuda", "torch.storage") and name in _TYPES:
            return _TYPES[name]
        root = module.partition(".")[0]
        foreign = root not in sys.stdlib_module_names and root not in ("torch", "numpy", "builtins", "__builtin__")
        if foreign or module == "torch.nn" or module.startswith("torch.nn."):
            return type(name, (Inert,), {})
        raise RunError(
            f"the checkpoint asks for '{module}.{name}', which no module needs",
            fix="do not use this file unless you know who made it",
        )

    def persistent_load(self, pid: Any) -> Any:
        """A storage, or the class of a module whose source the old format carries along."""
        return pid[1] if pid[0] == "module" else self._storage(pid)


def _rebuild(storage: Callable[[], Tensor], offset: int, size: Any, stride: Any, *_: Any) -> Tensor:
    return torch.as_strided(storage(), tuple(size), tuple(stride), offset).clone()


def _rebuild_parameter(data: Tensor, *_: Any) -> Tensor:
    return data


def _load_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        pickled = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        folder = pickled.removesuffix("data.pkl")
        kept: dict[str, Tensor] = {}

        def storage(pid: Any) -> Callable[[], Tensor]:
            _, dtype, key, _, count = pid[:5]
            if key not in kept:
                kept[key] = _from_bytes(archive.read(f"{folder}data/{key}"), dtype, int(count))
            return lambda: kept[key]

        with archive.open(pickled) as stream:
            return _Reader(stream, storage).load()


def _load_legacy(path: Path) -> Any:
    """Magic number, protocol, system, the object, the storages' keys; then each storage's length and bytes.

    Tensors are rebuilt from storages that come later in the file, so the object is read twice: once for the storages'
    types, once with their content.
    """
    with path.open("rb") as stream:
        if _plain(stream) != LEGACY_MAGIC:
            raise RunError("this is not a file that torch.save wrote", where=str(path))
        _plain(stream)
        _plain(stream)
        start = stream.tell()
        types: dict[str, tuple[torch.dtype, int]] = {}

        def note(pid: Any) -> Callable[[], Tensor]:
            _, dtype, key, _, count = pid[:5]
            types[key] = (dtype, int(count))
            return lambda: torch.zeros(int(count), dtype=dtype)

        _Reader(stream, note).load()
        kept: dict[str, Tensor] = {}
        for key in _plain(stream):
            dtype, expected = types[key]
            (count,) = struct.unpack("<q", stream.read(8))
            size = count * torch.empty((), dtype=dtype).element_size()
            kept[key] = _from_bytes(stream.read(size), dtype, count)
            if count != expected:
                raise RunError("a storage's length is not what the file says", where=str(path), found=f"{count}")
        stream.seek(start)
        return _Reader(stream, lambda pid: lambda: kept[pid[2]]).load()


def _plain(stream: IO[bytes]) -> Any:
    """A pickle of plain data: numbers, texts, lists, dictionaries."""

    def no_storage(pid: Any) -> Any:
        raise RunError("the file's header is damaged", found=str(pid)[:80])

    return _Reader(stream, no_storage).load()


def _from_bytes(data: bytes, dtype: torch.dtype, count: int) -> Tensor:
    if len(data) != count * torch.empty((), dtype=dtype).element_size():
        raise RunError("the checkpoint is truncated", found=f"{len(data)} bytes for {count} values of {dtype}")
    return torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0, dtype=dtype)
