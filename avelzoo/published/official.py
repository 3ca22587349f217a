"""Reading what published systems left behind: their checkpoints, and the very numbers their code returns.

A system joins by registering an `OfficialSystem`; nothing here knows any system by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from avelzoo.errors import AvelzooError, RunError, UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from avelzoo.composition.model import Model
    from avelzoo.composition.recipe import PublishedCheckpoint, Recipe
    from avelzoo.plugin.host import PluginHost
    from avelzoo.records import FeatureSpec

T = TypeVar("T")

_MISFITS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What reading sizes off tensors of unexpected shapes raises."""


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
        """The composition that computes what the public code does, with sizes read off the checkpoint.

        Raises:
            RunError: the checkpoint's keys or shapes are not the system's.
        """

    @abstractmethod
    def spec(self, setting: str, state: Mapping[str, Tensor]) -> FeatureSpec:
        """Sizes and categories of the features the checkpoint was trained on.

        Raises:
            RunError: the checkpoint's keys or shapes are not the system's.
        """

    @abstractmethod
    def load(self, setting: str, state: Mapping[str, Tensor]) -> Model:
        """avelzoo's own model, as `run` trains it, holding the checkpoint's weights.

        Raises:
            RunError: the checkpoint's keys or shapes are not the system's.
        """

    @abstractmethod
    def outputs(
        self, setting: str, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor], mode: str
    ) -> dict[str, Tensor]:
        """The arrays the public code returns in a mode (``eval``, ``train0``, ...), by their names without the mode.

        Raises:
            UsageError: there is no such mode, or an input is missing.
            RunError: the checkpoint's keys or shapes are not the system's.
        """


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
        state_dict: the public code's own keys, with or without wrappers' prefixes (``module.``); tensors or arrays.
        inputs: the public code's inputs by name; tensors or arrays.
        mode: ``eval``, ``train0`` or a variant the system names.
        host: where the system is looked up; by default everything that is installed.

    Raises:
        UsageError: no such system, setting or mode.
        RunError: keys or shapes of the state dict do not match.
    """
    from avelzoo.system.isolation import isolated

    adapter = official_system(system, setting, host)
    with isolated():
        given = _tensors(inputs)
        return fitted(_tensors(state_dict), lambda state: adapter.outputs(setting, state, given, mode)).value


def official_system(system: str, setting: str, host: PluginHost | None = None) -> OfficialSystem:
    """The registered adapter of a published system, for one of its settings.

    Raises:
        UnknownNameError: no such system is registered.
        UsageError: it has no such setting.
    """
    from avelzoo.plugin.host import default_host

    registry = (host or default_host()).registry
    adapter: OfficialSystem = registry.get("official", system).target()
    if setting not in adapter.settings:
        raise UsageError(f"'{system}' has no setting '{setting}'", expected=" or ".join(adapter.settings))
    return adapter


def read_state_dict(path: Path, key: str | None = None) -> dict[str, Tensor]:
    """The tensors of a checkpoint file: PyTorch's own formats or safetensors, judged by content.

    Nothing in the file is executed, see `avelzoo.published.checkpoints.read_checkpoint`.

    Args:
        path: the file.
        key: the entry that holds the weights; None to find it.

    Raises:
        RunError: no such file, a damaged one, one without weights, or one that calls what no weights need.
        UsageError: it has no such key.
    """
    from avelzoo.published.checkpoints import read_checkpoint

    return read_checkpoint(path, key).state


@dataclass(frozen=True)
class Fitted(Generic[T]):
    """What was made of a state dict, and under which names.

    Attributes:
        value: what was made.
        state: the state dict under the names that fit.
        prefix: what was taken off, such as ``module.``; empty for nothing.
    """

    value: T
    state: dict[str, Tensor]
    prefix: str


def fitted(state: Mapping[str, Tensor], make: Callable[[dict[str, Tensor]], T]) -> Fitted[T]:
    """What ``make`` gives for the state dict as it is, or without the prefixes that wrappers leave in its names.

    Args:
        state: tensors by the public code's names, perhaps with ``module.``, ``_orig_mod.`` or the like before them.
        make: builds something of a state dict, and raises RunError where it does not fit.

    Raises:
        RunError: it fits under no names.
    """
    from avelzoo.published.checkpoints import is_wrapping, without_prefixes

    told: AvelzooError | None = None
    for shorter, taken in without_prefixes(state):
        try:
            return Fitted(make(shorter), shorter, taken)
        except RunError as error:
            fault: AvelzooError = error
        except _MISFITS as error:
            fault = RunError(
                "the checkpoint's entries do not have the expected shapes",
                found=f"{type(error).__name__}: {error}".splitlines()[0][:200],
                fix="check the system and the setting; the ledger in the documentation lists every key",
            )
            fault.__cause__ = error
        if told is None or (is_wrapping(taken) and len(shorter) == len(state)):
            told = fault  # wrappers' names are never the model's, so without them more is known
    assert told is not None, "the names as they are come first"
    raise told


def load_renamed(module: nn.Module, renamed: Mapping[str, Tensor], *, origin: str) -> None:
    """Load a state dict already in avelzoo's keys, strictly.

    Raises:
        RunError: a key is missing or left over, a shape differs, or integers stand for real numbers.
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
    faults += [
        f"{key} holds {renamed[key].dtype}, not {own[key].dtype}"
        for key in own.keys() & renamed.keys()
        if renamed[key].is_floating_point() != own[key].is_floating_point()
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
