"""A request for an experiment, and the compositions of its cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from avelzoo.components import Supervision
from avelzoo.composition.experiment import Experiment, ExperimentEdition, ExperimentRow, FeatureSetting
from avelzoo.composition.overrides import Override
from avelzoo.composition.resolving import Composition
from avelzoo.sweeps.plan import SEED, Trial


@dataclass(frozen=True, kw_only=True)
class BenchRequest:
    """What to run of an experiment.

    Attributes:
        rows: names of rows; empty for all.
        supervisions: settings to run; empty for all.
        features: names of feature settings; empty for all whose files exist.
        seeds: number of seeds; None for the edition's.
        data: data folder; None for embedded data.
        overrides: values of all rows.
    """

    rows: Sequence[str] = ()
    supervisions: Sequence[str] = ()
    features: Sequence[str] = ()
    seeds: int | None = None
    data: Path | None = None
    overrides: tuple[Override, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for a plan."""
        return {
            "rows": list(self.rows),
            "supervisions": list(self.supervisions),
            "features": list(self.features),
            "seeds": self.seeds,
            "data": None if self.data is None else str(self.data),
            "overrides": {override.path: override.value for override in self.overrides},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BenchRequest:
        """Inverse of ``to_dict``."""
        return cls(
            rows=tuple(data["rows"]),
            supervisions=tuple(data["supervisions"]),
            features=tuple(data["features"]),
            seeds=data["seeds"],
            data=None if data["data"] is None else Path(data["data"]),
            overrides=Override.from_mapping(data["overrides"], "plan"),
        )


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A row under one supervision with one feature setting.

    Attributes:
        row: the row.
        supervision: full or weak.
        features: the feature setting.
        composition: with the first seed.
    """

    row: ExperimentRow
    supervision: Supervision
    features: FeatureSetting
    composition: Composition

    @property
    def name(self) -> str:
        """Name of the cell in folders."""
        return "-".join(filter(None, (self.row.name, self.supervision, self.features.name)))

    @property
    def values(self) -> dict[str, str]:
        """The cell's position in the table."""
        return {"row": self.row.name, "supervision": self.supervision, "features": self.features.name}

    def trial(self, seed: int) -> Trial:
        """The run of the cell with this seed."""
        recipe = self.composition.recipe
        sources = dict(self.composition.sources) | {SEED: "seed of the experiment"}
        seeded = replace(
            self.composition, recipe=replace(recipe, train=replace(recipe.train, seed=seed)), sources=sources
        )
        return Trial(name=f"{self.name}-s{seed}", cell=self.values, seed=seed, composition=seeded.to_dict())


@dataclass(frozen=True, kw_only=True)
class ResolvedExperiment:
    """An experiment with its edition and all cells.

    Attributes:
        experiment: the declaration.
        edition: the edition.
        cells: cells, row by row.
        seeds: seeds of every cell.
        summary: the edition, with the values that it and the request change in the recipes.
    """

    experiment: Experiment
    edition: ExperimentEdition
    cells: tuple[Cell, ...]
    seeds: tuple[int, ...]
    summary: str

    @property
    def seconds(self) -> float | None:
        """Typical time of a run: the edition's, in proportion to the epochs; None if unknown."""
        usual = self.edition.options.get("train.epochs")
        if self.edition.seconds is None or not isinstance(usual, int):
            return self.edition.seconds
        most = max((cell.composition.recipe.train.epochs for cell in self.cells), default=usual)
        return self.edition.seconds * most / usual

    def trials(self) -> tuple[Trial, ...]:
        """All runs: every cell with the first seed, then with the second, so that a stopped experiment is complete."""
        return tuple(cell.trial(seed) for seed in self.seeds for cell in self.cells)


def plain_values(composition: Mapping[str, Any]) -> dict[str, Any]:
    """Names and values of a composition, as `Composition.to_dict` writes it, without the sources of values."""
    slots = {
        slot: {key: value for key, value in row.items() if key in ("name", "options")}
        for slot, row in composition["slots"].items()
    }
    return {"recipe": composition["recipe"], "supervision": composition["supervision"], "slots": slots}
