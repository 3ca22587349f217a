"""Common methods of all records of tensors. Needs no torch at import, because records only hold tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Self

    import torch
    from torch import Tensor


class TensorRecord:
    """Mixin: operations on all tensors of a record.

    A field holds a tensor, a mapping of tensors, or another value (None, a number), which stays unchanged.
    """

    def tensors(self) -> dict[str, Tensor]:
        """The record's tensors by field name; tensors of a mapping by their keys."""
        found: dict[str, Tensor] = {}
        for f in fields(self):  # type: ignore[arg-type]
            value = getattr(self, f.name)
            if _is_tensor(value):
                found[f.name] = value
            elif isinstance(value, Mapping):
                found |= {str(name): own for name, own in value.items()}
        return found

    def map(self, function: Callable[..., Tensor], *others: Self) -> Self:
        """A copy whose tensors are ``function(own, *others')``, tensor by tensor.

        Raises:
            ValueError: the records do not hold the same tensors.
        """
        names = self.tensors().keys()
        if any(other.tensors().keys() != names for other in others):
            held = [", ".join(record.tensors()) for record in (self, *others)]
            raise ValueError(f"records of {type(self).__name__} hold different tensors: {' | '.join(held)}")
        changes: dict[str, Any] = {}
        for f in fields(self):  # type: ignore[arg-type]
            value, rest = getattr(self, f.name), [getattr(other, f.name) for other in others]
            if _is_tensor(value):
                changes[f.name] = function(value, *rest)
            elif isinstance(value, Mapping):
                changes[f.name] = {name: function(own, *(r[name] for r in rest)) for name, own in value.items()}
        return replace(self, **changes)  # type: ignore[type-var]

    def to(
        self, device: torch.device | str | None = None, *, dtype: torch.dtype | None = None, non_blocking: bool = False
    ) -> Self:
        """A copy on ``device``; floating tensors also change to ``dtype`` when it is given."""

        def moved(value: Tensor) -> Tensor:
            there = value.to(device=device, non_blocking=non_blocking)  # as stored, then widened on the device
            return there if dtype is None or not there.is_floating_point() else there.to(dtype)

        return self.map(moved)

    def pin_memory(self) -> Self:
        """A copy in pinned memory, for asynchronous copies to a GPU; called by `DataLoader`."""
        return self.map(lambda value: value if value.is_cuda else value.pin_memory())

    def take(self, indices: Tensor) -> Self:
        """The videos at these positions: (k) int64 -> tensors (k ...)."""
        return self.map(lambda value: value[indices])

    @classmethod
    def cat(cls, parts: Sequence[Self]) -> Self:
        """Concatenate records along the video dimension.

        Raises:
            ValueError: the records do not hold the same tensors.
        """
        from torch import cat

        return parts[0].map(lambda *values: cat(values), *parts[1:])

    @classmethod
    def stack(cls, parts: Sequence[Self]) -> Self:
        """Stack records along a new first dimension.

        Raises:
            ValueError: the records do not hold the same tensors.
        """
        from torch import stack

        return parts[0].map(lambda *values: stack(values), *parts[1:])


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "is_floating_point")
