"""Weights of a network from a file, with a message for users where they do not fit."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from avelzoo.errors import AvelzooError, DataError, some
from avelzoo.published.checkpoints.reading import read_checkpoint
from avelzoo.published.checkpoints.weights import as_float32, not_finite


def read_state(path: Path) -> dict[str, Tensor]:
    """Tensors by name from a file of PyTorch or safetensors. No code in the file is executed.

    Raises:
        DataError: the file is damaged or holds no weights, or a weight is not finite.
    """
    try:
        state = read_checkpoint(path).state
    except AvelzooError as error:
        raise DataError(
            error.problem, where=error.where or str(path), found=error.found, expected=error.expected, fix=error.fix
        ) from error
    return require_finite({name.removeprefix("module."): tensor for name, tensor in state.items()}, path)


def require_finite(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The weights, if all are finite.

    Raises:
        DataError: a weight is NaN or infinite.
    """
    broken = [name for name, tensor in state.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if broken:
        raise DataError("weights are not finite", where=str(path), found=some(broken), fix="get or save the file again")
    return state


def load_state(network: nn.Module, state: dict[str, Tensor], path: Path, name: str) -> None:
    """Put the weights, as float32, in place of a network's own; it is then in evaluation mode, without gradients.

    Args:
        network: the network, on any device, also ``meta``.
        state: its weights.
        path: their file.
        name: the network's name for messages.

    Raises:
        DataError: names or shapes are not those of the network, or a weight is not a finite number.
    """
    wanted = dict(network.state_dict())
    if {key: tensor.shape for key, tensor in state.items()} != {key: tensor.shape for key, tensor in wanted.items()}:
        raise misfit(state, wanted, path, name)
    if broken := not_finite(state):
        raise DataError(f"weights of {name} are not finite numbers", where=str(path), found=some(broken))
    network.load_state_dict(as_float32(state)[0], assign=True)
    network.eval().requires_grad_(requires_grad=False)


def misfit(given: dict[str, Tensor], wanted: dict[str, Tensor], path: Path, network: str) -> DataError:
    """The error for weights of another network, with the first differences."""
    missing = sorted(wanted.keys() - given.keys())
    strange = sorted(given.keys() - wanted.keys())
    shapes = [
        f"{name} {tuple(given[name].shape)}, not {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & given.keys())
        if given[name].shape != wanted[name].shape
    ]
    rows = (("missing", missing), ("of another shape", shapes), ("not expected", strange))
    return DataError(
        f"the weights are not those of {network}",
        where=str(path),
        found="; ".join(f"{label}: {some(names)}" for label, names in rows if names),
        expected=f"{len(wanted)} tensors of {network}",
        fix="choose the network that the file was made for, or another file",
    )
