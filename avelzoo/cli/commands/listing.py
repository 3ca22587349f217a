"""`avelzoo list`: registered components and recipes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from avelzoo.cli import catalogue, completing, render


def list_entries(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="One kind: " + ", ".join(catalogue.PLURALS.values()) + ". All by default.",
            autocompletion=completing.words_of(*catalogue.PLURALS.values()),
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List components and recipes."""
    from avelzoo.plugin.default import default_host

    kinds = [catalogue.kind_of(kind)] if kind else list(catalogue.PLURALS)
    registry = default_host().registry
    rows = [catalogue.row(entry) for k in kinds for entry in registry.entries(k)]
    if json:
        render.emit_json(rows)
        return
    out = render.console()
    for k in kinds:
        _print(out, k, [row for row in rows if row["kind"] == k])


def _print(out: Any, kind: str, rows: list[dict[str, Any]]) -> None:
    names = [row["name"] for row in rows]
    extra = {"recipe": "published", "published-code": "settings", "experiment": "source"}.get(kind)
    lines = []
    for row in rows:
        shown = row["name"] if names.count(row["name"]) == 1 else row["qualified"]
        line = [shown, row["summary"], row["paper"], row["plugin"]]
        if kind == "recipe":
            line.insert(2, _scores(row["published"]))
        elif extra:
            line.insert(2, row[extra] if isinstance(row[extra], str) else ", ".join(row[extra]))
        lines.append(line)
    columns = ["name", "summary", *([extra] if extra else []), "paper", "plugin"]
    out.print(render.table(columns, lines, title=catalogue.PLURALS[kind]))


def _scores(published: list[dict[str, Any]]) -> str:
    """Published segment accuracies in percent, by supervision, in the order of the recipe's feature sets."""
    by_supervision: dict[str, list[str]] = {}
    for score in published:
        by_supervision.setdefault(score["supervision"], []).append(render.percent(score["segment_accuracy"]))
    return ", ".join(f"{supervision} {' / '.join(values)}" for supervision, values in by_supervision.items())
