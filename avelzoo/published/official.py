"""Published systems: their checkpoints, and the outputs of their code.

A plugin adds a system by registering an `OfficialSystem`; this module knows no system by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from avelzoo.composition.state import load_strictly
from avelzoo.errors import AvelzooError, RunError, UsageError, describe

if TYPE_CHECKING:
    from torch import Tensor, nn

    from avelzoo.composition.model import Model
    from avelzoo.composition.recipe import PublishedCheckpoint, Recipe
    from avelzoo.plugin.host import PluginHost
    from avelzoo.records import FeatureSpec

T = TypeVar("T")

_MISFITS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""Exceptions raised when sizes are read from tensors of unexpected shapes."""


class OfficialOutputs(ABC):
    """Outputs of published code, computed with avelzoo's modules.

    Attributes:
        settings: the published settings.
        checkpoints: the weights that its authors published.
    """

    settings: ClassVar[tuple[str, ...]]
    checkpoints: ClassVar[tuple[PublishedCheckpoint, ...]] = ()

    @abstractmethod
    def outputs(
        self, setting: str, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor], mode: str
    ) -> dict[str, Tensor]:
        """Compute the arrays that the public code returns in a mode (``eval``, ``train0``, ...), by name without mode.

        Raises:
            UsageError: no such mode, or an input is missing.
            RunError: the checkpoint's keys or shapes are not the system's.
        """


class OfficialSystem(OfficialOutputs):
    """A published event localization system: its checkpoints can be imported as models of avelzoo.

    >>> "ge2023" in default_host().registry.names("published-code")
    True
    """

    @abstractmethod
    def recipe(self, setting: str, state: Mapping[str, Tensor]) -> Recipe:
        """Recipe that reproduces the public code, with sizes read from the checkpoint.

        Raises:
            RunError: the checkpoint's keys or shapes are not the system's.
        """

    @abstractmethod
    def spec(self, setting: str, state: Mapping[str, Tensor]) -> FeatureSpec:
        """Sizes and categories of the features that the checkpoint was trained on.

        Raises:
            RunError: the checkpoint's keys or shapes are not the system's.
        """

    @abstractmethod
    def load(self, setting: str, state: Mapping[str, Tensor]) -> Model:
        """Build avelzoo's model, as `run` trains it, with the checkpoint's weights.

        Raises:
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
    """Compute the outputs of a published system's code for given weights and inputs, with avelzoo's modules.

    Args:
        system: registered name, such as ``ge2023``.
        setting: ``full`` or ``weak``.
        state_dict: tensors or arrays by the public code's keys, with or without wrappers' prefixes (``module.``).
        inputs: tensors or arrays by the public code's names.
        mode: ``eval``, ``train0`` or another mode of the system.
        host: host to find the system in; by default, all installed plugins.

    Raises:
        UsageError: no such system, setting or mode.
        RunError: keys or shapes of the state dict do not match.
    """
    from avelzoo.system.isolation import isolated

    adapter = official_code(system, setting, host)
    with isolated():
        given = _tensors(inputs)
        return fitted(_tensors(state_dict), lambda state: adapter.outputs(setting, state, given, mode)).value


def official_code(system: str, setting: str, host: PluginHost | None = None) -> OfficialOutputs:
    """Find the registered adapter of published code, and check the setting.

    Raises:
        UnknownNameError: no such system is registered.
        UsageError: the system has no such setting.
    """
    from avelzoo.plugin.default import default_host

    registry = (host or default_host()).registry
    adapter: OfficialOutputs = registry.get("published-code", system).target()
    if setting not in adapter.settings:
        raise UsageError(f"'{system}' has no setting '{setting}'", expected=" or ".join(adapter.settings))
    return adapter


def official_system(system: str, setting: str, host: PluginHost | None = None) -> OfficialSystem:
    """Find the registered adapter of a published system whose checkpoints can be imported, and check the setting.

    Raises:
        UnknownNameError: no such system is registered.
        UsageError: the system has no such setting, or its code is for another task.
    """
    adapter = official_code(system, setting, host)
    if not isinstance(adapter, OfficialSystem):
        raise UsageError(f"checkpoints of '{system}' hold no event localization model")
    return adapter


def read_state_dict(path: Path, key: str | None = None) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint file in one of PyTorch's formats or safetensors; the content decides.

    Nothing in the file is executed, see `avelzoo.published.checkpoints.read_checkpoint`.

    Args:
        path: the file.
        key: entry that holds the weights; None to find it.

    Raises:
        RunError: the file is missing, damaged or without weights, or contains a call that weights never need.
        UsageError: the file has no such key.
    """
    from avelzoo.published.checkpoints import read_checkpoint

    return read_checkpoint(path, key).state


@dataclass(frozen=True)
class Fitted(Generic[T]):
    """Result of `fitted`.

    Attributes:
        value: result of ``make``.
        state: the state dict under the names that matched.
        prefix: the removed prefix, such as ``module.``; empty if none.
    """

    value: T
    state: dict[str, Tensor]
    prefix: str


def fitted(state: Mapping[str, Tensor], make: Callable[[dict[str, Tensor]], T]) -> Fitted[T]:
    """Call ``make`` with the state dict, unchanged or without the prefixes that wrappers add to its names.

    Args:
        state: tensors by the public code's names, possibly with prefixes such as ``module.`` or ``_orig_mod.``.
        make: builds something from a state dict; raises RunError if keys or shapes do not match.

    Raises:
        RunError: no choice of names matches.
    """
    from avelzoo.published.checkpoints import is_wrapping, without_prefixes

    shown: AvelzooError | None = None
    for shorter, taken in without_prefixes(state):
        try:
            return Fitted(make(shorter), shorter, taken)
        except RunError as error:
            fault: AvelzooError = error
        except _MISFITS as error:
            fault = RunError(
                "the checkpoint's entries do not have the expected shapes",
                found=describe(error)[:200],
                fix="check the system and the setting; the ledger in the documentation lists every key",
            )
            fault.__cause__ = error
        if shown is None or (is_wrapping(taken) and len(shorter) == len(state)):
            shown = fault  # without wrappers' names the error is more precise
    assert shown is not None, "the unchanged names come first"
    raise shown


def load_renamed(module: nn.Module, renamed: Mapping[str, Tensor], *, origin: str) -> None:
    """Load a state dict with avelzoo's keys, strictly.

    Raises:
        RunError: a key is missing or unexpected, a shape differs, or integers are given for floats or vice versa.

    >>> layer = torch.nn.Linear(1, 1); load_renamed(layer, layer.state_dict(), origin="example")
    """
    fix = "check the system and the setting; the ledger in the documentation lists every key"
    load_strictly(module, _decisions(module) | dict(renamed), f"the checkpoint does not match {origin}", fix=fix)


def _decisions(module: nn.Module) -> dict[str, Tensor]:
    """State of thresholds chosen on val: published checkpoints have none, so the built values stay."""
    from avelzoo.nn.decision import Decision

    return {
        f"{name}.{key}": value
        for name, part in module.named_modules()
        if isinstance(part, Decision)
        for key, value in part.state_dict().items()
    }


def _tensors(values: Mapping[str, Any]) -> dict[str, Tensor]:
    import torch

    return {key: torch.as_tensor(value) for key, value in values.items()}
