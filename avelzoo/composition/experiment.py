"""Declared experiments: a table or figure of a paper as overrides over recipes, with its published scores beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from avelzoo.components import Supervision
from avelzoo.composition.recipe import Published
from avelzoo.errors import PluginError, UnknownNameError, did_you_mean

Figure = Literal["", "line", "embedding"]


@dataclass(frozen=True, kw_only=True)
class ExperimentRow:
    """A row of a table, or a point of a curve: a recipe with overrides.

    Attributes:
        name: in kebab-case, for ``--rows`` and run folders.
        title: as printed in the paper.
        recipe: name of the recipe.
        choices: component names by slot.
        options: values by ``slot.option``.
        published: published scores of the row; empty for those of the recipe.
        x: position on the axis of a line chart.
        distribution: package that registers the recipe, if it is not avelzoo.

    >>> ExperimentRow(name="size-8", title="8 slots", recipe="ead-b", options={"memory.size": 8}).recipe
    'ead-b'
    """

    name: str
    title: str
    recipe: str
    choices: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    published: tuple[Published, ...] = ()
    x: float | None = None
    distribution: str = ""


@dataclass(frozen=True, kw_only=True)
class FeatureSetting:
    """Features of a data folder that an experiment compares.

    Attributes:
        name: for ``--features`` and run folders.
        published: the same features as published scores name them.
        options: values by ``slot.option`` that select the features.
        file: file of the data folder with the features; settings without their file are left out.

    >>> FeatureSetting(name="vggish", published="VGG-19 + VGGish", options={"dataset.audio": "vggish"}).name
    'vggish'
    """

    name: str
    published: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""


@dataclass(frozen=True, kw_only=True)
class ExperimentEdition:
    """Data and training budget under which an experiment runs.

    Attributes:
        name: short name.
        summary: what differs from the paper, one sentence.
        options: values of every row, by ``slot.option``; a row's own values have precedence.
        of_encoder: values of the rows with this encoder, by ``slot.option``.
        features: feature settings to compare; empty for the data set's own features.
        reads_folder: whether the edition reads the folder of ``--data``.
        seeds: number of seeds.
        seconds: typical time of a run on one CPU core, for the plan's estimate; None if unknown.

    >>> ExperimentEdition(name="short", summary="two epochs", options={"train.epochs": 2}).seeds
    5
    """

    name: str
    summary: str
    options: Mapping[str, Any] = field(default_factory=dict)
    of_encoder: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    features: tuple[FeatureSetting, ...] = ()
    reads_folder: bool = False
    seeds: int = 5
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A published table or figure that `avelzoo bench` runs.

    Attributes:
        name: as registered.
        title: one line.
        paper: key of the paper.
        source: table or figure of the paper.
        rows: rows of the table, or points of the curve.
        editions: editions; the first one without a data folder is the default, the first one with a folder is for
            ``--data``.
        supervisions: full, weak or both.
        reference: name of the row that the others are compared with; empty for none.
        figure: ``line`` (accuracy over ``x``), ``embedding`` (t-SNE of test features) or empty.
        axis: name of ``x`` in a line chart.
        facts: what the paper states about the outcome, one sentence each.

    Raises:
        PluginError: the declaration contradicts itself.

    >>> table = avelzoo.default_host().registry.get("experiment", "table2").target()
    >>> table.row("no-audio").options
    {'encoder.modality': 'visual'}
    """

    name: str
    title: str
    rows: tuple[ExperimentRow, ...]
    editions: tuple[ExperimentEdition, ...]
    paper: str = ""
    source: str = ""
    supervisions: tuple[Supervision, ...] = ("full", "weak")
    reference: str = ""
    figure: Figure = ""
    axis: str = ""
    facts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = Counter(row.name for row in self.rows)
        problem = ""
        if not self.rows or not self.editions or not self.supervisions:
            problem = "has no rows, no editions or no supervision"
        elif twice := [name for name, count in names.items() if count > 1]:
            problem = f"has two rows named '{twice[0]}'"
        elif self.reference and self.reference not in names:
            problem = f"has no row '{self.reference}', its reference"
        elif self.figure == "line" and any(row.x is None for row in self.rows):
            problem = "draws a line chart, but not every row has an x"
        if problem:
            raise PluginError(f"the experiment '{self.name}' {problem}", fix="correct its declaration")

    def row(self, name: str) -> ExperimentRow:
        """The row of this name.

        Raises:
            UnknownNameError: no row has this name.
        """
        for row in self.rows:
            if row.name == name:
                return row
        known = [row.name for row in self.rows]
        raise UnknownNameError(
            f"the experiment '{self.name}' has no row '{name}'" + did_you_mean(name, known),
            expected=", ".join(known),
            fix=f"`avelzoo show {self.name}` describes the rows; leave --rows out for all of them",
        )

    def edition(self, *, folder: bool) -> ExperimentEdition:
        """The edition for a data folder, or for embedded data.

        Raises:
            UnknownNameError: the experiment has no such edition.
        """
        for edition in self.editions:
            if edition.reads_folder is folder:
                return edition
        raise UnknownNameError(
            f"the experiment '{self.name}' has no edition " + ("for a data folder" if folder else "on embedded data"),
            expected=", ".join(edition.name for edition in self.editions),
            fix="remove --data" if folder else "pass a data folder with --data DIR",
        )
