"""Small buffers known to the host, so that a training step does not wait for the GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from torch import Tensor

T = TypeVar("T")


class HostCopy(Generic[T]):
    """A value computed from a buffer, read from the device again only after the buffer has changed.

    Reading a tensor makes the host wait until the GPU has computed it. The tensor's version counter tells of a change:
    every in-place operation raises it (loading a checkpoint, a broadcast). A copied module starts without a value.

    Args:
        read: the value from the buffer.
    """

    def __init__(self, read: Callable[[Tensor], T]) -> None:
        self._read = read
        self._buffer: Tensor | None = None
        self._version = -1
        self._value: T | None = None

    def value(self, buffer: Tensor) -> T:
        """The buffer's value; waits for the device if it is not known."""
        known = self.known(buffer)
        return self.set(buffer, self._read(buffer)) if known is None else known

    def known(self, buffer: Tensor) -> T | None:
        """The buffer's value, or None if only the device knows it. Never waits."""
        current = self._buffer is buffer and not buffer.is_inference() and self._version == _version(buffer)
        return self._value if current else None

    def set(self, buffer: Tensor, value: T) -> T:
        """Note the value that the host has just written to the buffer, or read from it."""
        if not buffer.is_inference():  # such tensors count no versions
            self._buffer, self._version, self._value = buffer, _version(buffer), value
        return value

    def __deepcopy__(self, memo: dict[int, Any]) -> HostCopy[T]:
        return HostCopy(self._read)

    def __reduce__(self) -> tuple[Any, ...]:
        return HostCopy, (self._read,)


def _version(buffer: Tensor) -> int:
    return buffer._version  # noqa: SLF001, documented by PyTorch, without another name
