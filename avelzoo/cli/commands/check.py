"""`avelzoo check`: conformance checks of a plugin's components."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avelzoo.cli import completing, render

if TYPE_CHECKING:
    from avelzoo.plugin.registry import Entry
    from avelzoo.testing import CheckResult


def check(
    plugin: Annotated[
        str,
        typer.Argument(help="Name of a plugin or a component.", autocompletion=completing.plugins_and_components),
    ],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run all conformance checks on a plugin's components; exit code 6 if any fails."""
    from avelzoo.testing import run_checks

    rows: list[dict[str, Any]] = []
    for entry in _entries(plugin):
        found = _resolves(entry) if entry.kind == "experiment" else run_checks(entry.target())
        rows += [
            {"kind": entry.kind, "name": entry.name, "check": finding.check, "error": finding.error}
            for finding in found
        ]
    failed = [row for row in rows if row["error"]]
    if json:
        render.emit_json({"plugin": plugin, "checks": rows, "failed": len(failed)})
    else:
        render.console().print(render.table(("component", "check", "result"), list(_cells(rows))))
        render.console().print(f"{len(rows) - len(failed)} of {len(rows)} checks passed")
    if failed:
        raise typer.Exit(6)


def _resolves(entry: Entry) -> Iterator[CheckResult]:
    """Whether all rows of an experiment compose, in every edition."""
    from avelzoo.cli.catalogue import experiment_of
    from avelzoo.errors import AvelzooError
    from avelzoo.experiments.request import BenchRequest
    from avelzoo.experiments.resolving import resolve_experiment
    from avelzoo.plugin.default import default_host
    from avelzoo.testing import CheckResult

    registry = default_host().registry
    try:
        experiment = experiment_of(entry)
    except AvelzooError as error:
        yield CheckResult("declared", str(error))
        return
    for edition in experiment.editions:
        names = tuple(setting.name for setting in edition.features)
        request = BenchRequest(data=Path("DATA") if edition.reads_folder else None, features=names)
        try:
            resolve_experiment(registry, experiment, request)
        except AvelzooError as error:
            yield CheckResult(f"rows of the edition {edition.name}", str(error))
        else:
            yield CheckResult(f"rows of the edition {edition.name}", "")


def _cells(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Rows of the table; an error that several checks of a component share is written once."""
    first: dict[tuple[str, str], str] = {}
    for row in rows:
        component, error = f"{row['kind']} {row['name']}", row["error"]
        same = first.setdefault((component, error), row["check"])
        yield component, row["check"], (error if same == row["check"] else f"same error as {same}") if error else "ok"


def _entries(plugin: str) -> list[Entry]:
    from avelzoo.components import BASES
    from avelzoo.errors import UnknownNameError, did_you_mean
    from avelzoo.plugin.default import default_host

    host = default_host()
    entries = [entry for kind in (*BASES, "experiment") for entry in host.registry.entries(kind)]
    found = [entry for entry in entries if entry.plugin == plugin]
    found = found or [entry for entry in entries if plugin in (entry.name, entry.qualified)]
    if not found:
        known = sorted({entry.plugin for entry in entries} | {entry.name for entry in entries})
        raise UnknownNameError(
            f"no plugin or component is named '{plugin}'" + did_you_mean(plugin, known),
            expected=", ".join(sorted({entry.plugin for entry in entries})),
            fix="`avelzoo plugins` lists installed plugins, including those that failed to load",
        )
    return found
