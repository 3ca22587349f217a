"""`avelzoo compare`: run folders against each other, on the same videos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from avelzoo.cli import render
from avelzoo.cli.compared import comparison_table
from avelzoo.errors import UsageError

if TYPE_CHECKING:
    from avelzoo.comparing import Comparison, TextTable


def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Run folders, sweep folders or patterns.")],
    split: Annotated[str, typer.Option(metavar="test|val", help="Split to compare on.")] = "test",
    measure: Annotated[
        str, typer.Option(metavar="NAME", help="Score to compare, such as event_f1_iou50.")
    ] = "segment_accuracy",
    baseline: Annotated[
        str | None, typer.Option(metavar="NAME|RUN", help="System that all others are compared with.")
    ] = None,
    margin: Annotated[
        float, typer.Option(help="Largest difference without practical relevance, in points or seconds.")
    ] = 1.0,
    groups: Annotated[
        str | None,
        typer.Option(metavar="run-length|category|FILE", help="Scores in groups; FILE is by `data modality`."),
    ] = None,
    resamples: Annotated[int, typer.Option(help="Number of bootstrap samples and random swaps.", min=1)] = 10_000,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print tables in Markdown.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print tables in LaTeX.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print all numbers as CSV.")] = False,
) -> None:
    """Compare runs on the same videos: intervals, tests, floors, verdict.

    Runs that differ only in their seed are one system.
    """
    from avelzoo.comparing.presenting import groups_table, numbers_table, pairs_table, rows_table
    from avelzoo.comparing.runs import compare_runs
    from avelzoo.metrics.counts import MEASURES

    forms = {"--json": json, "--markdown": markdown, "--latex": latex, "--csv": csv}
    chosen = [flag for flag, given in forms.items() if given]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} are mutually exclusive", fix="keep one of them")
    in_percent = measure not in MEASURES or MEASURES[measure].unit == "percent"
    found = compare_runs(
        runs,
        split=split,
        measure=measure,
        baseline=baseline,
        margin=margin / 100 if in_percent else margin,
        groups=groups,
        resamples=resamples,
    )
    people = not chosen
    tables = [rows_table(found)]
    tables += [pairs_table(found, brief=people)] if found.pairs else []
    tables += [groups_table(found)] if found.groups else []
    if json:
        render.emit_json(found.to_dict())
    elif csv:
        typer.echo(numbers_table(found).csv(), nl=False)
    elif latex:
        typer.echo("\n\n".join(table.latex() for table in tables))
        typer.echo("\n".join(f"% {line}" for line in (*found.sentences(), *_signatures(found))))
    elif markdown:
        typer.echo("\n\n".join(table.markdown() for table in tables))
        typer.echo("\n" + "\n".join(f"- {line}" for line in (*found.sentences(), *_signatures(found))))
    else:
        _print(found, tables)


def _print(found: Comparison, tables: list[TextTable]) -> None:
    out = render.console()
    for shown in tables:
        out.print(comparison_table(shown))
        for note in shown.notes:
            out.print(note, style="dim")
        out.print("")
    for line in found.sentences():
        out.print(f"- {line}")
    out.print("")
    for line in _signatures(found):
        out.print(line, style="dim", soft_wrap=True)


def _signatures(found: Comparison) -> list[str]:
    """Names and signatures of the systems; one line if all signatures are the same."""
    texts = found.signatures
    if len(set(texts.values())) == 1:
        return ["signature: " + next(iter(texts.values()))]
    return [f"signature of {name}: {text}" for name, text in texts.items()]
