"""Tables of an experiment: rows of text for the terminal, Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO

from avelzoo.comparing.tables import TextTable
from avelzoo.comparing.wording import Wording, p_text
from avelzoo.components import LEAK_MARK, LEAK_NOTE
from avelzoo.experiments.results import BenchResult, CellResult, Difference, TableResult

NONE = "-"
LETTER, GAIN = "letter", "gain"
"""The columns between these two compare a row with the reference and the paper."""

WORDS = Wording("percent")


def text_tables(result: BenchResult) -> list[TextTable]:
    """All tables of a result."""
    return [_text(result, table) for table in result.tables]


def narrow_tables(result: BenchResult) -> Iterator[TextTable]:
    """The same for terminals: names instead of titles, comparisons in a table of their own."""
    for whole, table in zip(text_tables(result), result.tables, strict=True):
        rows = [(cell.row, *row[1:]) for cell, row in zip(table.cells, whole.rows, strict=True)]
        first, last = whole.columns.index(LETTER) + 1, whole.columns.index(GAIN)
        compared = range(first, last)
        scores = [i for i in range(len(whole.columns)) if i not in compared]
        parts = [(scores, whole.title), *([([0, *compared], "")] if first < last else [])]
        for places, title in parts:
            yield TextTable(
                columns=[whole.columns[i] for i in places],
                rows=[[row[i] for i in places] for row in rows],
                title=title,
                notes=whole.notes if places is parts[-1][0] else (),
            )


def footnotes(result: BenchResult) -> Iterator[str]:
    """What a reader must know about all tables: runs, plan, data."""
    yield f"{result.finished} of {result.planned} runs are finished" + (
        f", {result.adopted} of them trained before the plan was written." if result.adopted else "."
    )
    yield f"Edition {result.edition}: {result.summary}."
    yield f"Plan {result.plan[:12]}, written {result.written or 'never'}" + (
        "; " + "; ".join(one["what"] for one in result.amendments) + "." if result.amendments else "."
    )
    if result.facts:
        source = f" ({result.source})" if result.source else ""
        yield f"The paper{source} states: " + " ".join(result.facts)
    if any(cell.published for table in result.tables for cell in table.cells):
        yield "Published scores are those of AVE's test split, mostly with the epoch chosen on test."


def _text(result: BenchResult, table: TableResult) -> TextTable:
    folder = any(cell.features for cell in table.cells)
    reference = next((cell.title for cell in table.cells if cell.row == result.reference), "")
    published = any(cell.published for cell in table.cells)
    title = ", ".join(filter(None, (result.title, f"{table.supervision} supervision", table.features)))
    columns = ["row", "seeds", "accuracy %", "95 % interval", LETTER]
    columns += [f"to {reference}", "p"] if reference else []
    columns += ["published %", *(["published difference"] if reference else [])] if published else []
    columns += ["to published"] if published and folder else []
    columns += [GAIN, "balanced %", "parameters", "s / epoch", "MiB"]
    return TextTable(
        title=f"{title[:1].upper()}{title[1:]}",
        columns=tuple(columns),
        rows=tuple(_row(cell, columns, reference) for cell in table.cells),
        notes=tuple(_notes(table)),
    )


def _row(cell: CellResult, columns: Sequence[str], reference: str) -> tuple[str, ...]:
    mark = f" {LEAK_MARK}" if cell.leaks_duration else ""
    seconds = NONE if cell.seconds_per_epoch is None else f"{cell.seconds_per_epoch:.1f}"
    texts = {
        "row": cell.title,
        "seeds": str(len(cell.seeds)),
        "accuracy %": accuracy(cell) + mark,
        "95 % interval": NONE if cell.low is None else f"{WORDS.number(cell.low)} - {WORDS.number(cell.high)}",
        LETTER: cell.letter or NONE,
        f"to {reference}": difference(cell.difference),
        "p": _p(cell.difference),
        "published %": " / ".join(WORDS.number(score.value) for score in cell.published) or NONE,
        "published difference": " / ".join(
            _signed(score.difference) for score in cell.published if score.difference is not None
        ) or NONE,
        "to published": _to_published(cell),
        GAIN: _signed(cell.gain),
        "balanced %": WORDS.number(cell.measures.get("foreground_background.balanced_accuracy")),
        "parameters": NONE if cell.parameters is None else f"{cell.parameters:,}",
        "s / epoch": seconds,
        "MiB": NONE if cell.peak_memory_mb is None else f"{cell.peak_memory_mb:.0f}",
    }  # fmt: skip
    return tuple(texts[column] for column in columns)


def _notes(table: TableResult) -> Iterator[str]:
    if table.videos:
        floors = [f"background everywhere {WORDS.number(table.background)}"]
        floors += [f"the true category in every segment {WORDS.number(table.category_oracle)}"]
        floors += [f"reference {name} {WORDS.number(value)}" for name, value in table.references.items()]
        yield f"{table.videos} test videos. Floors in %: " + ", ".join(floors) + "."
        yield "Gain: accuracy minus the row's own category in every segment, in points."
    if sum(bool(cell.seeds) for cell in table.cells) > 1:
        yield (
            "p: whole videos swapped between these trained models, corrected over the table (Holm); intervals also"
            " cover the choice of seeds. Two rows are separated if p is below 0.05 and the interval excludes 0; rows"
            " that are not separated share a letter."
        )
    if any(cell.leaks_duration for cell in table.cells):
        yield f"{LEAK_MARK} {LEAK_NOTE}"
    yield from table.claims


def accuracy(cell: CellResult) -> str:
    """Mean and deviation over seeds, in percent."""
    if cell.mean is None:
        return NONE
    return WORDS.number(cell.mean) + ("" if cell.std is None else f" ± {100 * cell.std:.1f}")


def difference(found: Difference | None) -> str:
    """Difference in points, with its interval."""
    if found is None:
        return NONE
    return f"{WORDS.signed(found.value)} [{WORDS.signed(found.low)}, {WORDS.signed(found.high)}]"


def _signed(value: float | None) -> str:
    return NONE if value is None else WORDS.signed(value)


def _p(found: Difference | None) -> str:
    return NONE if found is None or found.p is None else p_text(found.p)


def _to_published(cell: CellResult) -> str:
    if cell.mean is None or not cell.published:
        return NONE
    return " / ".join(_signed(cell.mean - score.value) for score in cell.published)


def markdown(result: BenchResult) -> str:
    """All tables in Markdown."""
    return "\n\n".join([*(table.markdown() for table in text_tables(result)), *footnotes(result)]) + "\n"


def latex(result: BenchResult) -> str:
    """All tables in LaTeX, for the package ``booktabs``."""
    notes = [f"% {note}" for note in footnotes(result)]
    return "\n".join([*notes, "", *(f"{table.latex()}\n" for table in text_tables(result))])


def to_csv(result: BenchResult) -> str:
    """All cells in one CSV table, as fractions."""
    names = ("row", "title", "supervision", "features", "x", "seeds", "mean", "std", "low", "high", "letter")
    more = ("own_category", "gain", "optimism_gap", "parameters", "seconds_per_epoch", "seconds", "peak_memory_mb")
    floors = ("background", "category_oracle")
    pair = ("value", "low", "high", "p", "separated")
    content = StringIO()
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(
        [*names, *more, *floors, *(f"difference_{name}" for name in pair), "published", "device", "leaks_duration",
         "signature", "plan"]
    )  # fmt: skip
    for table in result.tables:
        for cell in table.cells:
            values = [getattr(cell, name) for name in (*names, *more)]
            values[names.index("seeds")] = len(cell.seeds)
            values += [getattr(table, name) for name in floors]
            values += [getattr(cell.difference, name) if cell.difference else None for name in pair]
            scores = "; ".join(f"{score.features}: {score.value}" for score in cell.published)
            values += [scores, cell.device, cell.leaks_duration, cell.signature, result.plan]
            writer.writerow(["" if value is None else value for value in values])
    return content.getvalue()
