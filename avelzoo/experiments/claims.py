"""What paired tests say about a paper's order of rows, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from avelzoo.comparing.comparison import Comparison
from avelzoo.comparing.wording import Wording
from avelzoo.composition.experiment import Experiment
from avelzoo.errors import some
from avelzoo.experiments.results import CellResult, TableResult

WORDS = Wording("percent")


def claims(table: TableResult, comparison: Comparison, experiment: Experiment) -> Iterator[str]:
    """Sentences about the order of rows.

    Args:
        table: the table, with published scores; measured numbers are taken from the comparison.
        comparison: all pairs of measured rows.
        experiment: the declaration.
    """
    measured = {row.name: row for row in comparison.rows}
    cells = [cell for cell in table.cells if cell.row in measured]
    if len(cells) < 2:
        return
    if experiment.figure == "line":
        yield from _best_point(cells, comparison, experiment)
    elif any(cell.published for cell in cells):
        yield from _reference(cells, comparison, experiment)
        yield from _order(cells, comparison)
    if comparison.single_runs:
        yield "Rows with a single seed have intervals that do not cover training noise."


def _best_point(cells: Sequence[CellResult], comparison: Comparison, experiment: Experiment) -> Iterator[str]:
    best = comparison.rows[0]
    titles = {cell.row: cell.title for cell in cells}
    alike = [row.name for row in comparison.rows[1:] if set(row.letter) & set(best.letter)]
    level = [titles[row.name] for row in comparison.rows if row.mean == best.mean]
    value = f"({WORDS.number(best.mean)} %)"
    said = f"The highest mean accuracy is at {level[0]} {value}."
    if len(level) > 1:
        said = f"Equal highest mean accuracy {value}: {some(level, 8)}."
    if len(alike) == len(comparison.rows) - 1:
        yield f"{said} The tests separate no other value from it: these runs show no best {experiment.axis}."
    elif alike:
        yield f"{said} The tests do not separate it from {some([titles[name] for name in alike], 8)}."
    else:
        yield f"{said} The tests separate it from every other value."


def _reference(cells: Sequence[CellResult], comparison: Comparison, experiment: Experiment) -> Iterator[str]:
    reference = next((cell for cell in cells if cell.row == experiment.reference), None)
    if reference is None:
        return
    mean = comparison.row(reference.row).mean
    outcome: dict[str, list[str]] = {"above": [], "below": [], "open": []}
    for cell in cells:
        if cell is not reference:
            pair = comparison.pair(cell.row, reference.row)
            lower = comparison.row(cell.row).mean < mean
            outcome["open" if not pair.separated else "above" if lower else "below"].append(cell.title)
    parts = [
        f"is above {len(outcome['above'])}{_listed(outcome['above'])}",
        f"below {len(outcome['below'])}{_listed(outcome['below'])}",
        f"and not separated from {len(outcome['open'])}{_listed(outcome['open'])}",
    ]
    yield (
        f"By paired tests, the row '{reference.title}' "
        + ", ".join(parts)
        + f" of the {_counted(len(cells) - 1, 'other row')}."
    )


def _order(cells: Sequence[CellResult], comparison: Comparison) -> Iterator[str]:
    """Pairs of rows that are ordered in the paper, and what the tests say about their order."""
    for features in dict.fromkeys(score.features for cell in cells for score in cell.published):
        value = {cell.row: score.value for cell in cells for score in cell.published if score.features == features}
        agree, contradict, undecided = 0, 0, 0
        for first, second in combinations(value, 2):
            if value[first] == value[second]:
                continue
            pair = comparison.pair(first, second)
            if not pair.separated:
                undecided += 1
            elif (comparison.row(first).mean > comparison.row(second).mean) == (value[first] > value[second]):
                agree += 1
            else:
                contradict += 1
        total = agree + contradict + undecided
        if total:
            verdict = _verdict(agree, contradict, total)
            yield (
                f"Of the {_counted(total, 'pair')} of rows that the paper orders with {features}, the tests here"
                f" confirm the order of {agree}, reverse {contradict} and leave {undecided} open. {verdict}"
            )


def _verdict(agree: int, contradict: int, total: int) -> str:
    if not agree + contradict:
        return "These runs neither support nor contradict the paper's order."
    if not contradict and agree == total:
        return "These runs support the paper's order of all rows."
    if not contradict:
        return "These runs support the paper's order as far as they can tell rows apart."
    if contradict > agree:
        return "These runs do not support the paper's order."
    return "These runs support the paper's order in part."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _listed(titles: Sequence[str]) -> str:
    return f" ({', '.join(titles)})" if titles else ""
