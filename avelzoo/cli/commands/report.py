"""`avelzoo report`: runs as one HTML file that works offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avelzoo.cli import render
from avelzoo.errors import UsageError, printable


def report(
    runs: Annotated[list[str], typer.Argument(metavar="RUNS...", help="Run folders, sweeps, benches, or patterns.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The HTML file.")] = Path("report.html"),
    title: Annotated[str, typer.Option(help=r"Heading. \[default: names of the systems]")] = "",
    videos: Annotated[
        str, typer.Option(metavar="all|N|IDS", help="Timelines: all, a number, or ids separated by commas.")
    ] = "all",
    groups: Annotated[Path | None, typer.Option(metavar="FILE", help="CSV or JSON file of groups.")] = None,
    no_model: Annotated[bool, typer.Option("--no-model", help="Read no weights and no data.")] = False,
    projection: Annotated[
        str, typer.Option(metavar="auto|t-sne|pca", help="Map of the embedding; auto: t-SNE with scikit-learn.")
    ] = "auto",
    resamples: Annotated[int, typer.Option(min=100, help="Bootstrap samples and random swaps.")] = 10_000,
    pack: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write compact copies of the runs, without weights.")
    ] = None,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Device for the computation.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no summary.")] = False,
) -> None:
    """Write a report of finished runs: one HTML file that works offline. The folders are not changed."""
    from avelzoo.plugin.default import default_host
    from avelzoo.reporting.report import ReportRequest, write_report

    if projection not in ("auto", "t-sne", "pca"):
        raise UsageError(f"unknown projection '{projection}'", expected="auto, t-sne or pca")
    request = ReportRequest(
        title=title,
        videos=videos,
        groups=groups,
        model=not no_model,
        method=projection,  # type: ignore[arg-type]
        device=device,
        resamples=resamples,
        pack=pack,
    )
    progress = render.console(stderr=True)

    def said(text: str) -> None:
        if not quiet:
            progress.print(printable(text), style="dim", soft_wrap=True)

    found = write_report(runs, out, default_host().registry, request, said=said)
    left_out = {name: reason for name, reason in found.sections.items() if reason}
    if json:
        render.emit_json(
            {
                "report": str(found.path),
                "bytes": found.bytes,
                "runs": list(found.runs),
                "sections": [
                    {"id": name, "complete": not reason, "left_out": reason} for name, reason in found.sections.items()
                ],
                "copies": list(map(str, found.copies)),
                "notes": list(found.notes),
            }
        )
    if quiet:
        return
    console = render.console(stderr=json)
    rows = {
        "report": f"{found.path}, {found.bytes / 1e6:.1f} MB",
        "runs": str(len(found.runs)),
        "compact copies": f"{len(found.copies)} in {pack}" if found.copies else "",
        **{f"section {name}": reason for name, reason in left_out.items()},
        "note": " ".join(found.notes),
    }
    console.print(render.fields(rows))
