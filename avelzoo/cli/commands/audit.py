"""`avelzoo audit`: a prediction file of any repository, scored, and what its score is worth."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Annotated

import typer

from avelzoo.cli import render
from avelzoo.errors import UsageError


def audit(
    predictions: Annotated[
        Path | None, typer.Argument(metavar="PREDICTIONS", help="Prediction file, or a run folder.")
    ] = None,
    other: Annotated[Path | None, typer.Argument(metavar="OTHER", help="Second file, compared in pairs.")] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Labels: Annotations.txt and order files are enough.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help=r"Data set. \[default: AVE's public layout]", show_default=False)
    ] = None,
    split: Annotated[str, typer.Option(metavar="test|val|train", help="Split to score.")] = "test",
    labels: Annotated[
        str, typer.Option(metavar="annotations|labels|right_labels|all", help="Label file to score against.")
    ] = "annotations",
    claim: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Claimed segment accuracy, such as 80.8.")
    ] = None,
    epochs: Annotated[Path | None, typer.Option(metavar="FILE", help="Accuracies on val and test per epoch.")] = None,
    groups: Annotated[Path | None, typer.Option(metavar="FILE", help="CSV or JSON file of groups.")] = None,
    supervision: Annotated[
        str, typer.Option(metavar="full|weak", help="Labels used in training, for the signature.")
    ] = "?",
    selection: Annotated[
        str, typer.Option(metavar="val|test|last", help="Split that chose the epoch, for the signature.")
    ] = "?",
    format: Annotated[  # noqa: A002
        str, typer.Option(metavar="auto|jsonl|csv|npz|tsv|run", help="Format of the prediction file.")
    ] = "auto",
    ids: Annotated[
        str,
        typer.Option(
            metavar="auto|background-last|background-first|background-minus-one|from-one",
            help="Numbering of the file's ids.",
        ),
    ] = "auto",
    categories: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Category names in the order of the file's ids.")
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="Relevance above which a segment is an event, for scores without background.")
    ] = 0.5,
    parse: Annotated[str | None, typer.Option(metavar="SIGNATURE", help="Explain a signature and stop.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the audit: JSON for .json, else text.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")] = False,
) -> None:
    """Score predictions of any repository: floors, intervals, groups, leaks, claims, and a verdict.

    Without a prediction file, the labels alone are audited. Two files are compared in pairs.
    """
    if parse is not None:
        _explain(parse, json=json)
        return
    from avelzoo.auditing import Reading, audit as run_audit

    if predictions is None and data is None and dataset is None:
        raise UsageError("nothing to audit", expected="a prediction file, or --data DIR for the labels alone")
    found = run_audit(
        predictions,
        other,
        data=data,
        dataset=dataset,
        split=split,
        labels=labels,
        claim=claim,
        epochs=epochs,
        groups=groups,
        supervision=supervision,
        selection=selection,
        reading=Reading(format=format, ids=ids, categories=categories, threshold=threshold),
    )
    from avelzoo.cli.audited import print_audit
    from avelzoo.system.files import write_bytes, write_json

    if json:
        render.emit_json(found.to_dict())
    else:
        print_audit(found, render.console())
    if out is not None and out.suffix.lower() == ".json":
        write_json(out, found.to_dict())
    elif out is not None:
        text = StringIO()
        print_audit(found, render.console_on(text))
        write_bytes(out, text.getvalue().encode())


def _explain(text: str, *, json: bool) -> None:
    from dataclasses import asdict

    from avelzoo.cli.audited import print_signature
    from avelzoo.metrics import Signature

    found = Signature.parse(text)
    if json:
        render.emit_json(asdict(found))
    else:
        print_signature(found, render.console())
