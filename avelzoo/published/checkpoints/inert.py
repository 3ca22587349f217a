"""What stands in for the objects of a pickle: their data, and nothing of what they do."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from avelzoo.errors import RunError


class Inert:
    """Inert stand-in for an object of any class: it keeps the object's data and does nothing.

    Attributes:
        origin: module and name of the original class or function.
        args: arguments of its call.
        state: its state if not a dictionary, as for NumPy's types.
        attributes: its attributes.
        entries: its items, if it is a kind of dictionary.
    """

    origin = ""
    args: tuple[Any, ...]
    state: Any
    attributes: dict[Any, Any]
    entries: dict[Any, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Create an object, whether or not the pickle calls ``__init__``."""
        made = super().__new__(cls)
        made.args, made.state, made.attributes, made.entries = (*args, *kwargs.values()), None, {}, {}
        return made

    def __init__(self, *_: Any, **__: Any) -> None:
        """Do nothing: ``__new__`` sets everything."""

    def __setstate__(self, state: Any) -> None:
        self.state = state
        pair = isinstance(state, tuple) and len(state) == 2  # of a class with slots
        for part in state if pair else (state,):
            if isinstance(part, dict):
                self.attributes.update(part)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.entries[key] = value

    def append(self, value: Any) -> None:
        """Drop a list's item: weights are never stored by position."""

    add = append
    extend = append

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse a call of an object: pickles of data call only named classes and functions.

        Raises:
            RunError: always.
        """
        raise refusal(f"the result of '{self.origin}'")


class Parameter(Inert):
    """A pickled parameter of PyTorch 0.3; its first argument is the data."""


class Unreadable(Inert):
    """A tensor without readable values, such as a sparse one; ``origin`` names the kind."""


class Array(Inert):
    """A NumPy array; its state is version, shape, type, order, bytes."""

    def tensor(self) -> Tensor | None:
        """Convert to a tensor; None if the array holds no numbers."""
        try:
            _, shape, kind, fortran, raw = self.state
            dtype = _numpy_type(kind)
            content = raw.encode("latin1") if isinstance(raw, str) else raw  # bytes written by Python 2
            values = np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
            return torch.from_numpy(values.astype(dtype.newbyteorder("="), order="C"))
        except (AttributeError, LookupError, TypeError, ValueError):
            return None


def refusal(what: str) -> RunError:
    """The error for a pickle that calls ``what``."""
    return RunError(
        f"the checkpoint calls {what}, which weights never need",
        fix="use this file only if you trust its author; nothing in it was executed",
    )


def _numpy_type(kind: Any) -> np.dtype[Any]:
    """Number format of a pickled ``numpy.dtype``; only numeric formats are accepted."""
    code = kind.args[0]
    big = isinstance(kind.state, tuple) and kind.state[1] == ">"
    if not isinstance(code, str) or code[:1] not in "biufc":
        raise ValueError(code)
    return np.dtype(code).newbyteorder(">" if big else "<")
