"""Reading what published systems left behind: their checkpoints, and the very numbers their code returns.

A system joins by registering an `OfficialSystem`; nothing here knows any system by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from avelzoo.errors import RunError, UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from avelzoo.host import PluginHost
    from avelzoo.model import Model
    from avelzoo.recipe import Recipe


class OfficialSystem(ABC):
    """How one published system's state dicts map onto avelzoo's modules.

    Attributes:
        settings: the settings it was published in.
    """

    settings: ClassVar[tuple[str, ...]]

    @abstractmethod
    def recipe(self, setting: str, state: Mapping[str, Tensor]) -> Recipe:
        """The composition that computes what the public code does, with sizes read off the checkpoint."""

    @abstractmethod
    def load(self, setting: str, state: Mapping[str, Tensor]) -> Model:
        """avelzoo's own model, as `run` trains it, holding the checkpoint's weights."""

    @abstractmethod
    def outputs(
        self, setting: str, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor], mode: str
    ) -> dict[str, Tensor]:
        """The arrays the public code returns in a mode (``eval``, ``train0``, ...), by their names without the mode."""


def official_outputs(
    system: str,
    setting: str,
    state_dict: Mapping[str, Any],
    inputs: Mapping[str, Any],
    mode: str,
    *,
    host: PluginHost | None = None,
) -> dict[str, Tensor]:
    """What a published system's code returns for these weights and inputs, computed by avelzoo's modules.

    Args:
        system: registered name, such as ``ge2023``.
        setting: ``full`` or ``weak``.
        state_dict: the public code's own keys, with or without ``module.``; tensors or arrays.
        inputs: the public code's inputs by name; tensors or arrays.
        mode: ``eval``, ``train0`` or a variant the system names.
        host: where the system is looked up; by default everything that is installed.

    Raises:
        UsageError: no such system, setting or mode.
        RunError: keys or shapes of the state dict do not match.
    """
    adapter = official_system(system, setting, host)
    return adapter.outputs(setting, clean_state(state_dict), _tensors(inputs), mode)


def official_system(system: str, setting: str, host: PluginHost | None = None) -> OfficialSystem:
    """The registered adapter of a published system, for one of its settings."""
    from avelzoo.host import default_host

    registry = (host or default_host()).registry
    adapter: OfficialSystem = registry.get("official", system).target()
    if setting not in adapter.settings:
        raise UsageError(f"'{system}' has no setting '{setting}'", expected=" or ".join(adapter.settings))
    return adapter


def clean_state(state_dict: Mapping[str, Any]) -> dict[str, Tensor]:
    """A state dict as tensors, without the ``module.`` prefix that data-parallel training leaves."""
    return _tensors({key.removeprefix("module."): value for key, value in state_dict.items()})


def load_renamed(module: Model, renamed: Mapping[str, Tensor], *, origin: str) -> None:
    """Load a state dict already in avelzoo's keys, strictly.

    Raises:
        RunError: a key is missing or left over, or a shape differs; all of them are named.
    """
    own = module.state_dict()
    faults = [f"missing {key}" for key in own.keys() - renamed.keys()]
    faults += [f"unexpected {key}" for key in renamed.keys() - own.keys()]
    faults += [
        f"{key} is {tuple(renamed[key].shape)}, not {tuple(own[key].shape)}"
        for key in own.keys() & renamed.keys()
        if renamed[key].shape != own[key].shape
    ]
    if faults:
        raise RunError(
            f"the checkpoint does not fit {origin}",
            found="; ".join(sorted(faults)[:8]) + (f"; and {len(faults) - 8} more" if len(faults) > 8 else ""),
            expected=f"{len(own)} entries with the documented keys and shapes",
            fix="check the system and the setting; the ledger in the documentation lists every key",
        )
    module.load_state_dict(dict(renamed))


def without_dropout(module: nn.Module) -> None:
    """Set every dropout probability to 0: dropout layers, attention weights, recurrent layers."""
    from torch.nn.modules.dropout import _DropoutNd

    for part in module.modules():
        if isinstance(part, _DropoutNd):
            part.p = 0.0
        elif isinstance(getattr(part, "dropout", None), float):
            setattr(part, "dropout", 0.0)  # noqa: B010, attention and recurrent layers keep a plain number there


def _tensors(values: Mapping[str, Any]) -> dict[str, Tensor]:
    import torch

    return {key: torch.as_tensor(value) for key, value in values.items()}
