"""Filling a module from tensors by name, or saying what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from avelzoo.errors import RunError, some

if TYPE_CHECKING:
    from torch import Tensor, nn


def load_strictly(module: nn.Module, tensors: Mapping[str, Tensor], problem: str, *, where: str = "", fix: str) -> None:
    """Load a state dict whose names, shapes and kinds of numbers are the module's; else change nothing.

    Args:
        module: to be filled.
        tensors: by the module's names.
        problem: what the error says.
        where: the file.
        fix: what to do about it.

    Raises:
        RunError: a name is missing or left over, a shape differs, or integers stand for real numbers.
    """
    own = module.state_dict()
    faults = [f"missing {name}" for name in own.keys() - tensors.keys()]
    faults += [f"unexpected {name}" for name in tensors.keys() - own.keys()]
    for name in own.keys() & tensors.keys():
        want, given = own[name], tensors[name]
        if given.shape != want.shape:
            faults.append(f"{name} is {tuple(given.shape)}, not {tuple(want.shape)}")
        if given.is_floating_point() != want.is_floating_point():
            faults.append(f"{name} holds {given.dtype}, not {want.dtype}")
    if faults:
        raise RunError(
            problem,
            where=where,
            found=some(sorted(faults), 8, separator="; "),
            expected=f"{len(own)} entries with the module's names and shapes",
            fix=fix,
        )
    module.load_state_dict(dict(tensors))
