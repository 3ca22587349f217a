"""What a sweep is: axes, trials, and the plan that holds them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from avelzoo.errors import UsageError

SEED = "train.seed"
"""The axis over which means are taken."""


@dataclass(frozen=True)
class Axis:
    """What a sweep varies.

    Attributes:
        name: ``slot.option``, a slot, ``supervision`` or ``recipe``.
        values: the values it takes, as typed or as Python values.
    """

    name: str
    values: tuple[Any, ...]

    @classmethod
    def parse(cls, text: str) -> Axis:
        """From ``name=value,value``. Values that hold commas themselves are separated by semicolons.

        Raises:
            UsageError: a value is missing.
        """
        name, _, listed = text.partition("=")
        values = tuple(value.strip() for value in listed.split(";" if ";" in listed else ","))
        if not all(values):
            raise UsageError(
                f"cannot read the sweep '{text}'",
                expected="what varies, and its values: memory.size=8,16,32 or head=single,double",
            )
        return cls(name.strip(), values)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run of a sweep.

    Attributes:
        name: of its run folder.
        cell: the value of every axis but the seed.
        seed: of weights, order and dropout.
        composition: every value, as `Composition.to_dict` writes it.
    """

    name: str
    cell: Mapping[str, Any]
    seed: int
    composition: Mapping[str, Any]

    @property
    def identity(self) -> str:
        """Equal for trials that compute the same, whatever they are called and whoever chose their values."""
        parts = {slot: [row.get("name"), row["options"]] for slot, row in self.composition["slots"].items()}
        return json.dumps([self.composition["recipe"], self.composition["supervision"], parts], sort_keys=True)

    @property
    def data_root(self) -> str | None:
        """Folder of the data; None for data that are in no folder."""
        root: str | None = self.composition["slots"]["dataset"]["options"].get("root")
        return root

    @property
    def identity_without_root(self) -> str:
        """`identity`, wherever the data are."""
        slots = dict(self.composition["slots"])
        options = {name: value for name, value in slots["dataset"]["options"].items() if name != "root"}
        slots["dataset"] = dict(slots["dataset"]) | {"options": options}
        return replace(self, composition=dict(self.composition) | {"slots": slots}).identity


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A whole sweep, before anything has run.

    Attributes:
        axes: what varies, the seed left out.
        trials: in the order in which they start: every cell with its first seed, then every cell with its second.
        device: as in `avelzoo.run`.
        launcher: name and options of the launcher.
        plugins: single-file plugins that the trials need.
        command: what was typed, for the record.
    """

    axes: tuple[str, ...]
    trials: tuple[Trial, ...]
    device: str
    launcher: Mapping[str, Any]
    plugins: tuple[str, ...] = ()
    command: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        axes: Sequence[Axis],
        trials: Sequence[Trial],
        *,
        device: str,
        launcher: Mapping[str, Any],
        plugins: Sequence[Path],
        command: Sequence[str],
    ) -> Plan:
        """A plan of trials made from these axes."""
        return cls(
            axes=tuple(axis.name for axis in axes if axis.name != SEED),
            trials=tuple(trials),
            device=device,
            launcher=launcher,
            plugins=tuple(map(str, plugins)),
            command=tuple(command),
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for ``sweep.json``."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """Inverse of ``to_dict``."""
        trials = tuple(Trial(**trial) for trial in data["trials"])
        rest = {name: tuple(data[name]) for name in ("axes", "plugins", "command")}
        return cls(trials=trials, device=data["device"], launcher=data["launcher"], **rest)


def as_text(value: Any) -> str:
    """An axis's value as people read it."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
