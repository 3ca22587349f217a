"""`avelzoo show`: details of one component, or all values of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avelzoo.cli import catalogue, completing, render
from avelzoo.cli.options import as_text
from avelzoo.composition.overrides import Override
from avelzoo.composition.resolving import Composition, resolve
from avelzoo.errors import UsageError
from avelzoo.plugin.registry import Entry, Registry

if TYPE_CHECKING:
    from rich.table import Table


def show(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[KIND] NAME",
            help="Entry to show, for example `encoder st-fusion`.",
            autocompletion=completing.kinds_and_names,
        ),
    ],
    name: Annotated[str | None, typer.Argument(hidden=True, autocompletion=completing.names_of_kind)] = None,
    supervision: Annotated[str, typer.Option(metavar="full|weak", help="For recipes: the supervision.")] = "full",
    *,
    slots: Annotated[Mapping[str, str | None], "For recipes: name of another {kind}."],
    config: Annotated[Path | None, typer.Option(help="For recipes: TOML file with a table per slot.")] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="For recipes: slot.option=value. Repeatable.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show one component or recipe: options, paper, published scores."""
    from avelzoo.plugin.default import default_host

    registry = default_host().registry
    entry = catalogue.find(registry, what) if name is None else registry.get(catalogue.kind_of(what), name)
    if entry.kind != "recipe":
        if any(slots.values()) or config or values or supervision != "full":
            raise UsageError(
                f"only recipes take components and values, not the {entry.kind} '{entry.name}'",
                fix=f"use `avelzoo show {entry.kind} {entry.qualified}` without options, or name a recipe",
            )
        if entry.kind == "experiment":
            _experiment(registry, entry, as_json=json)
        else:
            _component(registry, catalogue.details(entry), as_json=json)
        return
    overrides = map(Override.parse, values or ())
    found = resolve(registry, entry.qualified, supervision=supervision, choices=slots, overrides=overrides, file=config)
    _recipe(registry, entry, found, as_json=json)


def _component(registry: Registry, data: dict[str, Any], *, as_json: bool) -> None:
    data = _cited(registry, data)
    if as_json:
        render.emit_json(data)
        return
    out = render.console()
    out.print(_heading(data))
    if data.get("options"):
        rows = [(o["name"], o["type"], as_text(o["default"]), o["help"]) for o in data["options"]]
        out.print(render.table(("option", "type", "default", "what it does"), rows))
    _, _, rest = data["documentation"].partition("\n")
    if rest.strip():
        out.print(rest.strip())


def _experiment(registry: Registry, entry: Entry, *, as_json: bool) -> None:
    from avelzoo.cli import benches

    experiment = catalogue.experiment_of(entry)
    data = _cited(registry, catalogue.details(entry)) | benches.described(registry, experiment)
    if as_json:
        render.emit_json(data)
        return
    out = render.console()
    out.print(_heading(data))
    out.print(benches.rows_table(data))
    out.print(render.fields({f"edition {one['name']}": one["summary"] for one in data["editions"]}))
    out.print(
        render.fields({"in the paper": " ".join(data["facts"]), "run it": f"avelzoo bench {entry.name} --dry-run"})
    )


def _recipe(registry: Registry, entry: Entry, composition: Composition, *, as_json: bool) -> None:
    data = _cited(registry, catalogue.details(entry))
    if as_json:
        render.emit_json(data | {"composition": composition.to_dict()})
        return
    out = render.console()
    out.print(_heading(data))
    out.print(render.composition_table(composition))
    if data["published"]:
        rows = [
            (s["supervision"], s["features"], render.percent(s["segment_accuracy"]), s["source"])
            for s in data["published"]
        ]
        columns = ("supervision", "features", "accuracy %", "source")
        out.print(render.table(columns, rows, title="published segment accuracy on AVE", right=("accuracy %",)))


def _cited(registry: Registry, data: dict[str, Any]) -> dict[str, Any]:
    return data | {"citation": render.citation(registry.papers, data["paper"])}


def _heading(data: dict[str, Any]) -> Table:
    return render.fields(
        {
            data["kind"]: data["name"],
            "what": data["summary"],
            "paper": data["citation"],
            "source": data.get("source", ""),
            "plugin": f"{data['plugin']} ({data['distribution']} {data['version']})".replace(" )", ")"),
            "supervision": " or ".join(data.get("supervisions", ())),
            "settings": " or ".join(data.get("settings", ())),
            "checkpoints": "\n".join(catalogue.checkpoint_text(found) for found in data.get("checkpoints", ())),
            "reads": ", ".join(data.get("reads", ())),
            "gives": ", ".join(data.get("gives", ())),
            "terms": "\n".join(f"{name} of {needs}" for name, needs in data.get("terms", {}).items()),
            "assumptions": "\n".join(data.get("assumptions", ())),
            "limits": "\n".join(data.get("limits", ())),
        }
    )
