"""Tables 1 and 2 of Ge et al. 2023, and the comparisons of heads and of pairings that follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from avelzoo.builtin.experiments.editions import folder_edition, worlds_edition
from avelzoo.builtin.ge2023.recipes import published_scores
from avelzoo.composition.experiment import Experiment, ExperimentRow

PAPER = "ge2023"
TABLE_2 = "Ge et al. 2023, Table 2"

SYSTEMS: dict[str, str] = {
    "avel2018": "AVEL 2018",
    "dam": "DAM 2019",
    "avin": "AVIN 2020",
    "avt": "AVT 2020",
    "cmran": "CMRAN 2020",
    "mpn": "MPN 2021",
    "psp": "PSP 2021",
    "cmbs": "CMBS 2022",
    "mm-pyramid": "MM-Pyramid 2022",
    "spav": "SPAV 2022",
}
"""The systems of Table 1 by recipe, in the paper's order."""


def table1() -> Experiment:
    """Table 1: published systems and the event-aware double branch."""
    others = (
        ExperimentRow(name=recipe, title=title, recipe=recipe, distribution="avelzoo-baselines")
        for recipe, title in SYSTEMS.items()
    )
    return Experiment(
        name="table1",
        title="published systems and EAD-B",
        paper=PAPER,
        source="Table 1",
        rows=(*others, ExperimentRow(name="full-model", title="EAD-B 2023", recipe="ead-b")),
        reference="full-model",
        editions=(worlds_edition(), folder_edition()),
        facts=("EAD-B has the highest accuracy in every column.",),
    )


def table2() -> Experiment:
    """Table 2: eleven ablations of the full model."""
    rows = (
        _row("full-model", "full model", 0.804, 0.813, 0.772, 0.787),
        _row("no-audio", "without audio modality", 0.637, 0.641, 0.611, 0.612, options={"encoder.modality": "visual"}),
        _row("no-visual", "without visual modality", 0.653, 0.741, 0.625, 0.713, options={"encoder.modality": "audio"}),
        _row("no-transformer", "vanilla attention, no transformer", 0.791, 0.807, 0.759, 0.773,
             options={"encoder.attention": "vanilla"}),
        _row("no-spatial-fusion", "without spatial fusion", 0.783, 0.808, 0.761, 0.782,
             options={"encoder.spatial_fusion": False}),
        _row("no-temporal-fusion", "without temporal fusion", 0.757, 0.795, 0.743, 0.769,
             options={"encoder.temporal_fusion": False}),
        _row("no-fusion", "without spatial and temporal fusion", 0.740, 0.773, 0.739, 0.752,
             options={"encoder.spatial_fusion": False, "encoder.temporal_fusion": False}),
        _row("random-bank", "random bank update instead of JSD", 0.794, 0.803, 0.752, 0.770,
             choices={"memory": "random-bank"}),
        _row("feature-bank", "stored features instead of raw data", 0.776, 0.791, 0.746, 0.762,
             choices={"memory": "feature-bank"}),
        _row("single-branch", "single branch instead of EADB", 0.783, 0.795, 0.751, 0.767, recipe="single-branch"),
        _row("double-branch", "double branch instead of EADB", 0.789, 0.801, 0.758, 0.771, recipe="double-branch"),
        _row("eadb-variant", "EADB variant without memory", 0.791, 0.804, 0.764, 0.776, recipe="double-branch",
             choices={"head": "event-aware-classifiers"}),
    )  # fmt: skip
    return Experiment(
        name="table2",
        title="ablations of EAD-B",
        paper=PAPER,
        source="Table 2",
        rows=rows,
        reference="full-model",
        editions=(worlds_edition(), folder_edition()),
        facts=("The full model has the highest accuracy in every column.",),
    )


def heads() -> Experiment:
    """Four branch heads on the encoder st-fusion."""
    kept = {
        "full-model": "event-aware double branch",
        "eadb-variant": "event-aware classifiers",
        "double-branch": "double branch",
        "single-branch": "single branch",
    }
    of_table = {row.name: row for row in table2().rows}
    rows = (
        ExperimentRow(
            name=name,
            title=title,
            recipe=of_table[name].recipe,
            choices=of_table[name].choices,
            published=of_table[name].published,
        )
        for name, title in kept.items()
    )
    return Experiment(
        name="heads",
        title="four branch heads",
        paper=PAPER,
        source="Table 2, last rows",
        rows=tuple(rows),
        reference="full-model",
        editions=(worlds_edition(), folder_edition()),
        facts=("The order is event-aware, event-aware classifiers, double, single.",),
    )


def grid() -> Experiment:
    """Two encoders with four heads and two memories."""
    return Experiment(
        name="grid",
        title="encoders, heads and memories paired",
        paper=PAPER,
        rows=tuple(_pairings()),
        reference="st-fusion-event-aware-jsd-bank",
        editions=(worlds_edition(epochs=6, seeds=3, seconds=20.0), folder_edition()),
    )


def _pairings() -> Iterator[ExperimentRow]:
    for encoder in ("st-fusion", "mean-pool"):
        for head in ("event-aware", "event-aware-classifiers", "double", "single"):
            for memory in ("jsd-bank", "none"):
                if (head, memory) != ("event-aware", "none"):  # its anchors come from the memory
                    yield ExperimentRow(
                        name=f"{encoder}-{head}-{memory}",
                        title=f"{encoder} + {head}" + ("" if memory == "none" else f" + {memory}"),
                        recipe="ead-b",
                        choices={"encoder": encoder, "head": head, "memory": memory},
                    )


def _row(
    name: str,
    title: str,
    *scores: float,
    recipe: str = "ead-b",
    choices: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> ExperimentRow:
    return ExperimentRow(
        name=name,
        title=title,
        recipe=recipe,
        choices=choices or {},
        options=options or {},
        published=published_scores(TABLE_2, *scores),
    )
