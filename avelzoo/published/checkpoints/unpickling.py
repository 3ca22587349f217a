"""Reader of pickles that imports and calls nothing that they name.

Every class and function in a pickle becomes an inert container that keeps its arguments; tensors and arrays are rebuilt
from their raw bytes by functions of this module. A call that would do more than construct a value is refused by name,
see `avelzoo.published.checkpoints.names`; no call is ever made.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import IO, Any

import torch
from torch import Tensor

from avelzoo.published.checkpoints.inert import Array, Inert, Parameter, Unreadable, refusal
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
"""A storage's values; None until they are known."""


class Reader(pickle.Unpickler):
    """Unpickler that returns inert stand-ins for classes and functions, and looks up storages by the file's keys.

    Args:
        stream: the pickle.
        storage: function from a storage's description in the pickle to the storage.
        nested: reader of a pickle inside the pickle, the form of storages without torch.save.
        encoding: encoding of Python 2's texts.
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
        """Classes and functions found in the pickle and kept inert."""
        return sorted(self._met)

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in, never the original class or function, except dictionaries and sets."""
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
        """Return a storage, or the class of a module whose source code the old format includes."""
        return pid[1] if pid[0] == "module" else self._storage(pid)


def _refusing(module: str, name: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise refusal(f"'{module}.{name}'")

    return refuse


class _Attribute(Inert):
    """Result of ``getattr`` in a pickle: an enum's member, or a method that must not be called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse.

        Raises:
            RunError: always.
        """
        owner = self.args[0] if self.args else None
        raise refusal(
            "the method '" + ".".join([getattr(owner, "origin", type(owner).__name__), *self.args[1:2]]) + "'"
        )


def _rebuild(storage: Storage, offset: int, size: Any, stride: Any, *_: Any) -> Tensor:
    return torch.as_strided(storage(), tuple(size), tuple(stride), offset).clone()


def _rebuild_typed(storage: Storage, offset: int, size: Any, stride: Any, _: Any, __: Any, *more: Any) -> Tensor:
    """Rebuild a tensor whose storage is raw bytes; its type is the last argument, or the last before metadata."""
    dtype = next(value for value in more if isinstance(value, torch.dtype))
    return torch.as_strided(storage().view(dtype), tuple(size), tuple(stride), offset).clone()


def _rebuild_parameter(data: Any, *_: Any) -> Any:
    return data


def _rebuild_from_type(make: Any, _: Any, args: Any, __: Any = None) -> Any:
    """Rebuild a tensor of a class derived from Tensor."""
    known = make in _REBUILDS or (isinstance(make, type) and issubclass(make, Unreadable))
    return make(*args) if known else _unreadable("of a custom tensor class")()


def _unreadable(kind: str) -> type[Unreadable]:
    return type("Unreadable", (Unreadable,), {"origin": kind})


def _new_array(*_: Any) -> Array:
    return Array()


def _array_of_buffer(raw: Any, dtype: Any, shape: Any, order: Any) -> Array:
    made = Array()
    made.state = (1, shape, dtype, order == "F", bytes(raw) if isinstance(raw, pickle.PickleBuffer) else raw)
    return made


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """Encode text to bytes, as protocol 2 stores them."""
    return text.encode("latin1" if encoding != "utf-8" else "utf-8")


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
    "_rebuild_wrapper_subclass": _unreadable("of a custom tensor class"),
    "_rebuild_device_tensor_from_numpy": _unreadable("of a device that plain PyTorch cannot read"),
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
"""Objects rebuilt from their bytes by functions of this module, and containers."""
