"""Load tensors into a module by name; report entries that do not match."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from avelzoo.errors import RunError, some

if TYPE_CHECKING:
    from torch import Tensor, nn


def load_strictly(module: nn.Module, tensors: Mapping[str, Tensor], problem: str, *, where: str = "", fix: str) -> None:
    """Load a state dict whose names, shapes and kinds of numbers match the module's; otherwise change nothing.

    Args:
        module: module to load into.
        tensors: tensors by name.
        problem: text of the error.
        where: the file.
        fix: how to solve the problem.

    Raises:
        RunError: a name is missing or unexpected, a shape differs, or integers are given for real numbers.
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
