"""Reading what published systems left behind: their checkpoints, and the very numbers their code returns.

A system joins by registering an `OfficialSystem`; nothing here knows any system by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from avelzoo.errors import RunError, UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from avelzoo.host import PluginHost
    from avelzoo.model import Model
    from avelzoo.recipe import PublishedCheckpoint, Recipe
    from avelzoo.records import FeatureSpec


class OfficialSystem(ABC):
    """How one published system's state dicts map onto avelzoo's modules.

    Attributes:
        settings: the settings it was published in.
        checkpoints: the weights that its authors published.
    """

    settings: ClassVar[tuple[str, ...]]
    checkpoints: ClassVar[tuple[PublishedCheckpoint, ...]] = ()

    @abstractmethod
    def recipe(self, setting: str, state: Mapping[str, Tensor]) -> Recipe:
        """The composition that computes what the public code does, with sizes read off the checkpoint."""

    @abstractmethod
    def spec(self, setting: str, state: Mapping[str, Tensor]) -> FeatureSpec:
        """Sizes and categories of the features the checkpoint was trained on."""

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


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint file: PyTorch's own format or safetensors, read without executing what it holds.

    A state dict kept under the key ``state_dict``, ``model`` or ``model_state_dict`` is found there; a pickled module's
    is read off its parts, see `avelzoo.modulefile`.

    Raises:
        RunError: no such file, a damaged one, one with anything but tensors in it, or one that asks for code to run.
    """
    import pickle

    import torch
    from safetensors.torch import load_file

    try:
        loaded = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except FileNotFoundError:
        raise RunError("there is no such checkpoint", where=str(path)) from None
    except pickle.UnpicklingError:  # more than tensors: perhaps a whole module, which can be read without running it
        from avelzoo.modulefile import read_module_state

        return read_module_state(path)
    except PermissionError:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0]
        raise RunError(
            "the checkpoint is damaged or not a checkpoint",
            where=str(path),
            found=f"{type(error).__name__}: {reason}"[:200],
            expected="a file that torch.save or safetensors wrote",
            fix="download or copy it again, and compare its size with the original's",
        ) from error
    for key in ("state_dict", "model", "model_state_dict"):
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    tensors = isinstance(loaded, Mapping) and all(isinstance(value, torch.Tensor) for value in loaded.values())
    if not tensors or not loaded:
        raise RunError(
            "the checkpoint is not a state dict",
            where=str(path),
            found=f"a {type(loaded).__name__}" + (" with other things than tensors" if loaded else " without entries"),
            expected="a mapping from names to tensors",
            fix="save model.state_dict() alone",
        )
    return dict(loaded)


def load_renamed(module: nn.Module, renamed: Mapping[str, Tensor], *, origin: str) -> None:
    """Load a state dict already in avelzoo's keys, strictly.

    Raises:
        RunError: a key is missing or left over, or a shape differs; all of them are named.
    """
    own = module.state_dict()
    renamed = _decisions(module) | dict(renamed)
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


def _decisions(module: nn.Module) -> dict[str, Tensor]:
    """What heads keep for a threshold chosen on val: checkpoints of elsewhere have none, so it stays as built."""
    from avelzoo.contracts import Decision

    return {
        f"{name}.{key}": value
        for name, part in module.named_modules()
        if isinstance(part, Decision)
        for key, value in part.state_dict().items()
    }


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
