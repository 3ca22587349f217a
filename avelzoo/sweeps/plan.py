"""Axes, trials and the plan of a sweep."""

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
    """An axis of a sweep.

    Attributes:
        name: ``slot.option``, a slot, ``supervision`` or ``recipe``.
        values: values, as typed or as Python values.
    """

    name: str
    values: tuple[Any, ...]

    @classmethod
    def parse(cls, text: str) -> Axis:
        """Parse ``name=value,value``. Values that contain commas are separated by semicolons.

        Raises:
            UsageError: a value is missing.
        """
        name, _, listed = text.partition("=")
        values = tuple(value.strip() for value in listed.split(";" if ";" in listed else ","))
        if not all(values):
            raise UsageError(
                f"cannot read the sweep '{text}'",
                expected="a name and values: memory.size=8,16,32 or head=single,double",
            )
        return cls(name.strip(), values)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A run of a sweep.

    Attributes:
        name: name of the run folder.
        cell: value of every axis except the seed.
        seed: seed of weights, order and dropout.
        composition: composition, as `Composition.to_dict` writes it.
    """

    name: str
    cell: Mapping[str, Any]
    seed: int
    composition: Mapping[str, Any]

    @property
    def identity(self) -> str:
        """Equal for trials with the same computation, regardless of names and of the sources of values."""
        parts = {slot: [row.get("name"), row["options"]] for slot, row in self.composition["slots"].items()}
        return json.dumps([self.composition["recipe"], self.composition["supervision"], parts], sort_keys=True)

    @property
    def data_root(self) -> str | None:
        """Data folder; None for data without a folder."""
        root: str | None = self.composition["slots"]["dataset"]["options"].get("root")
        return root

    @property
    def identity_without_root(self) -> str:
        """`identity` without the data folder."""
        slots = dict(self.composition["slots"])
        options = {name: value for name, value in slots["dataset"]["options"].items() if name != "root"}
        slots["dataset"] = dict(slots["dataset"]) | {"options": options}
        return replace(self, composition=dict(self.composition) | {"slots": slots}).identity


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan of a sweep.

    Attributes:
        axes: names of the axes, without the seed.
        trials: trials in starting order: all cells with the first seed, then all cells with the second seed.
        device: as in `avelzoo.run`.
        launcher: name and options of the launcher.
        plugins: single-file plugins of the trials.
        command: command line, for the record.
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
        """The plan of trials expanded from these axes."""
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
    """An axis's value as text."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
