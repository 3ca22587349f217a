"""Reading pickles without importing or calling anything that they name.

Every class and function in a pickle becomes an inert container that keeps what it was given; tensors and arrays are
rebuilt from their raw bytes by functions of this module. A call of something that would do more than make a value is
refused with its name, see `avelzoo.published.checkpoints.names`; no call is ever made.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from avelzoo.errors import RunError
from avelzoo.published.checkpoints.names import modern, would_run

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
    "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128,
    "QInt8Storage": torch.int8,
    "QUInt8Storage": torch.uint8,
    "QInt32Storage": torch.int32,
    "UntypedStorage": torch.uint8,
}
_DTYPES = {name: value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}

Storage = Callable[[], Tensor]
"""A storage's values, once they are known."""


class Inert:
    """Stands for an object of any class: keeps what it is made of, does nothing.

    Attributes:
        origin: module and name of the class or function it stands for.
        args: what that was called with.
        state: its state where that is no dictionary, as NumPy's types have it.
        attributes: its attributes.
        entries: what was put into it, where it is a kind of dictionary.
    """

    origin = ""
    args: tuple[Any, ...]
    state: Any
    attributes: dict[Any, Any]
    entries: dict[Any, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """An object, whether or not a pickle goes on to ``__init__``."""
        made = super().__new__(cls)
        made.args, made.state, made.attributes, made.entries = (*args, *kwargs.values()), None, {}, {}
        return made

    def __init__(self, *_: Any, **__: Any) -> None:
        """All is done."""

    def __setstate__(self, state: Any) -> None:
        self.state = state
        pair = isinstance(state, tuple) and len(state) == 2  # of a class with slots
        for part in state if pair else (state,):
            if isinstance(part, dict):
                self.attributes.update(part)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.entries[key] = value

    def append(self, value: Any) -> None:
        """Leave out a list's item: no weights are kept by position."""

    add = append
    extend = append

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: pickles of data call classes and functions that have a name.

        Raises:
            RunError: always.
        """
        raise _refusal(f"what '{self.origin}' returns")


class Parameter(Inert):
    """A pickled parameter of PyTorch 0.3: its data is the first argument."""


class Unreadable(Inert):
    """A tensor that has no values of its own to read, such as a sparse one; ``origin`` says which."""


class Array(Inert):
    """A NumPy array; its state is version, shape, type, order, bytes."""

    def tensor(self) -> Tensor | None:
        """The array as a tensor; None where it holds no numbers."""
        try:
            _, shape, kind, fortran, raw = self.state
            dtype = _numpy_type(kind)
            content = raw.encode("latin1") if isinstance(raw, str) else raw  # as Python 2 wrote bytes
            values = np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
            return torch.from_numpy(values.astype(dtype.newbyteorder("="), order="C"))
        except (AttributeError, LookupError, TypeError, ValueError):
            return None


class Reader(pickle.Unpickler):
    """Finds inert stand-ins for classes and functions, and storages by the file's own keys.

    Args:
        stream: the pickle.
        storage: gives a storage for its description in the pickle.
        nested: reads a pickle inside the pickle, which is how storages look where torch.save was not used.
        encoding: of Python 2's texts.
    """

    def __init__(
        self, stream: IO[bytes], storage: Callable[[Any], Any], nested: Callable[[bytes], Any], encoding: str = "utf-8"
    ) -> None:
        super().__init__(stream, encoding=encoding)
        self._storage = storage
        self._met: list[str] = []
        self._classes: dict[tuple[str, str], Any] = {
            ("torch.storage", "_load_from_bytes"): nested,
            ("torch.serialization", "_get_layout"): Inert,
        }

    @property
    def met(self) -> list[str]:
        """The classes and functions that were met and kept inert."""
        return sorted(self._met)

    def find_class(self, module: str, name: str) -> Any:
        """A stand-in; never the thing itself, but for dictionaries and sets."""
        module, name = modern(module, name)
        if (module, name) in KNOWN:
            return KNOWN[module, name]
        if module in ("torch", "torch.cuda", "torch.storage") and name in _TYPES:
            return _TYPES[name]
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if (module, name) not in self._classes:
            refused = {"__new__": _refusing(module, name)} if would_run(module, name) else {}
            self._classes[module, name] = type(name, (Inert,), {"origin": f"{module}.{name}"} | refused)
            self._met.append(f"{module}.{name}")
        return self._classes[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """A storage, or the class of a module whose source the old format carries along."""
        return pid[1] if pid[0] == "module" else self._storage(pid)


def _refusing(module: str, name: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise _refusal(f"'{module}.{name}'")

    return refuse


def _refusal(what: str) -> RunError:
    return RunError(
        f"the checkpoint calls {what}, which no weights need",
        fix="do not use this file unless you know who made it; nothing of it was run here",
    )


class _Attribute(Inert):
    """What ``getattr`` gives in a pickle: an enum's member or a method, which must not be called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse.

        Raises:
            RunError: always.
        """
        owner = self.args[0] if self.args else None
        raise _refusal(
            "the method '" + ".".join([getattr(owner, "origin", type(owner).__name__), *self.args[1:2]]) + "'"
        )


def _rebuild(storage: Storage, offset: int, size: Any, stride: Any, *_: Any) -> Tensor:
    return torch.as_strided(storage(), tuple(size), tuple(stride), offset).clone()


def _rebuild_typed(storage: Storage, offset: int, size: Any, stride: Any, _: Any, __: Any, *more: Any) -> Tensor:
    """A tensor whose storage is plain bytes; its type comes last but perhaps for metadata."""
    dtype = next(value for value in more if isinstance(value, torch.dtype))
    return torch.as_strided(storage().view(dtype), tuple(size), tuple(stride), offset).clone()


def _rebuild_parameter(data: Any, *_: Any) -> Any:
    return data


def _rebuild_from_type(make: Any, _: Any, args: Any, __: Any = None) -> Any:
    """A tensor of a class derived from Tensor."""
    known = make in _REBUILDS or (isinstance(make, type) and issubclass(make, Unreadable))
    return make(*args) if known else _unreadable("of a class of its own")()


def _unreadable(kind: str) -> type[Unreadable]:
    return type("Unreadable", (Unreadable,), {"origin": kind})


def _new_array(*_: Any) -> Array:
    return Array()


def _array_of_buffer(raw: Any, dtype: Any, shape: Any, order: Any) -> Array:
    made = Array()
    made.state = (1, shape, dtype, order == "F", bytes(raw) if isinstance(raw, pickle.PickleBuffer) else raw)
    return made


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """Bytes, as protocol 2 writes them."""
    return text.encode("latin1" if encoding != "utf-8" else "utf-8")


def _numpy_type(kind: Any) -> np.dtype[Any]:
    """The type that a pickled ``numpy.dtype`` stands for: numbers alone."""
    code = kind.args[0]
    big = isinstance(kind.state, tuple) and kind.state[1] == ">"
    if not isinstance(code, str) or code[:1] not in "biufc":
        raise ValueError(code)
    return np.dtype(code).newbyteorder(">" if big else "<")


_REBUILDS = (_rebuild, _rebuild_typed, _rebuild_parameter)
_TORCH: dict[str, Any] = {
    "_rebuild_tensor": _rebuild,
    "_rebuild_tensor_v2": _rebuild,
    "_rebuild_tensor_v3": _rebuild_typed,
    "_rebuild_parameter": _rebuild_parameter,
    "_rebuild_parameter_with_state": _rebuild_parameter,
    "_rebuild_sparse_tensor": _unreadable("sparse"),
    "_rebuild_sparse_csr_tensor": _unreadable("sparse"),
    "_rebuild_meta_tensor_no_storage": _unreadable("on the device 'meta', which keeps no values"),
    "_rebuild_qtensor": _unreadable("quantized"),
    "_rebuild_nested_tensor": _unreadable("nested"),
    "_rebuild_wrapper_subclass": _unreadable("of a class of its own"),
    "_rebuild_device_tensor_from_numpy": _unreadable("of a device that PyTorch alone cannot read"),
    "_rebuild_device_tensor_from_cpu_tensor": _rebuild_parameter,
}
KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "getattr"): _Attribute,
    ("_codecs", "encode"): _encode,
    ("torch.nn.parameter", "Parameter"): Parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _rebuild_from_type,
    ("torch._tensor", "_rebuild_from_type"): _rebuild_from_type,
    **{("torch._utils", name): rebuild for name, rebuild in _TORCH.items()},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _new_array for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _array_of_buffer for core in ("core", "_core")},
}
"""What is rebuilt from its bytes, by functions of this module, or is a container."""
