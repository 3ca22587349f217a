"""`avelzoo card`: the model card of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avelzoo.cli import render


def card(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Run folder of a finished run.")],
    out: Annotated[Path | None, typer.Option(help=r"Folder to write. \[default: the run folder]")] = None,
    name: Annotated[str | None, typer.Option(help=r"Name of the model. \[default: name of the folder]")] = None,
    license_id: Annotated[
        str | None, typer.Option("--license", metavar="ID", help="License identifier, such as apache-2.0.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--hub-dataset", metavar="ID", help="Identifier of the data set on the hub.")
    ] = None,
    task: Annotated[
        str | None, typer.Option("--hub-task", metavar="ID", help="Identifier of the task in the benchmark.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a model card and a file of evaluation results for a finished run. Nothing is uploaded."""
    from avelzoo.cards import make_card
    from avelzoo.plugin.default import default_host

    found = make_card(run_dir, default_host().registry, name=name, license_id=license_id, dataset=dataset, task=task)
    readme, evaluation = found.save(out or run_dir)
    if json:
        render.emit_json({"name": found.name, "readme": str(readme), "evaluation": str(evaluation)})
        return
    render.console().print(render.fields({"model card": str(readme), "evaluation results": str(evaluation)}))
