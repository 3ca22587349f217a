"""Output of `avelzoo data` about folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from avelzoo.cli import render
from avelzoo.data.reading.categories import CATEGORIES
from avelzoo.errors import printable

if TYPE_CHECKING:
    from rich.console import Console

    from avelzoo.data.checking.findings import FileReport, Report
    from avelzoo.data.checking.status import FileStatus, Status


def print_status(found: Status) -> None:
    """Files, uses, and where missing files are published."""
    out = render.console()
    rows = []
    for file in found.files:
        if not file.present and (file.source is None or found.extraction):
            continue  # optional, and no public file; or a folder of the user's own
        state = f"{size_text(file.bytes)}" if file.present else "-"
        what = file.problem or (f"{_shape(file.shape)} {file.dtype} {file.storage}".strip() if file.present else "")
        rows.append((file.name, state, printable(what), _purpose(file, found.extraction)))
    out.print(render.table(("file", "size", "holds", "is for"), rows, title=str(found.root), right=("size",)))
    if found.extraction:
        _print_extracted(out, found, found.extraction)
    else:
        abilities = [
            (a.name, *("yes" if not a.missing[kind] else "no: " + ", ".join(a.missing[kind]) for kind in a.missing))
            for a in found.abilities
        ]
        kinds = tuple(f"with {kind}" for kind in found.abilities[0].missing)
        out.print(render.table(("allows", *kinds), abilities))
        _print_sources(out, found)
    _print_origin(found.simulated)
    if found.packed:
        out.print(f"The features in this folder are packed, as {found.packed}.")
    if any(file.problem for file in found.files):
        out.print(f"Some files cannot be read: avelzoo data doctor {found.root}")


def _purpose(file: FileStatus, extraction: Mapping[str, Any] | None) -> str:
    """What a file is for; AVE's encoders are not those of a user's own features."""
    own = [] if extraction is None else [extraction[kind] for kind in ("visual", "audio")]
    return next((f"features by {made['extractor']}" for made in own if made["file"] == file.name), file.text)


def _print_extracted(out: Console, found: Status, extraction: Mapping[str, Any]) -> None:
    """Recipes of the features, and the uses that the labels allow."""
    labelled = any(file.present and file.role == "annotations" and file.name != CATEGORIES for file in found.files)
    full = found.abilities[0]
    audio = next(kind for kind, names in full.needed.items() if extraction["audio"]["file"] in names)
    lines = extraction_lines(extraction)
    if labelled:
        allowed = "; ".join(ability.name for ability in found.abilities if not ability.missing[audio])
        lines["allows"] = allowed or "nothing; missing: " + ", ".join(full.missing[audio])
    else:
        lines["labels"] = "none; repeat `avelzoo extract` with --table FILE.csv to train on these features"
    out.print(render.fields(lines))


def extraction_lines(extraction: Mapping[str, Any]) -> dict[str, str]:
    """How features were extracted, for `render.fields`."""
    return {
        "visual features": f"{extraction['visual']['extractor']}, recipe {extraction['visual']['recipe_id']}",
        "audio features": f"{extraction['audio']['extractor']}, recipe {extraction['audio']['recipe_id']}",
        "segments": f"{extraction['seconds']:g} s",
    }


def _print_sources(out: Console, found: Status) -> None:
    """Publishers of the missing files, and the fewest files for each use of the folder."""
    from avelzoo.data.checking.sources import OPTIONAL, shortest

    absent = [file for file in found.files if not file.present and file.source is not None]
    if not absent:
        return
    out.print("Missing files of AVE, by publisher (avelzoo downloads nothing):", soft_wrap=True)
    for file in absent:
        source = file.source
        assert source is not None
        size = f", {size_text(source.bytes)}" if source.bytes else ""
        out.print(f"  {file.name}{size}: {source}", soft_wrap=True)
        every = len(file.needed_for) == len(found.abilities)
        uses = "every use" if every and "with" not in file.needed_for[0] else "; ".join(file.needed_for)
        label = "needed for: " if uses else "optional, for "
        out.print(f"    {label}{uses or OPTIONAL[file.name]}", soft_wrap=True)
    for line in shortest(found.needs()):
        out.print(line if line.startswith(" ") else f"\n{line}", soft_wrap=True)


def print_report(report: Report) -> None:
    """Files, then findings, errors first."""
    out = render.console()
    rows = [
        (
            file.name,
            size_text(file.bytes),
            f"{_shape(file.shape)} {file.dtype}".strip(),
            *_values(file),
            (file.sha256 or "-")[:12] + (" public" if file.public else ""),
        )
        for file in report.files
    ]
    columns = ("file", "size", "holds", "range", "zeros", "not finite", "sha256")
    out.print(render.table(columns, rows, title=str(report.root), right=("size", "zeros", "not finite")))
    for finding in report.findings:
        out.print(f"{finding.level}: {printable(finding.file)}: {finding.problem}", soft_wrap=True)
        for label, text in (("found", finding.found), ("expected", finding.expected), ("what to do", finding.fix)):
            if text:
                out.print(f"  {label}: {printable(text)}", soft_wrap=True)
    _print_origin(report.simulated)
    errors, warnings = report.count("error"), report.count("warning")
    sampled = "; features were sampled (--quick)" if report.quick else ""
    out.print(
        f"{errors or 'no'} error{'s' * (errors != 1)}, {warnings or 'no'} warning{'s' * (warnings != 1)}{sampled}"
    )


def _values(file: FileReport) -> tuple[str, str, str]:
    values = file.values
    if values is None:
        return "-", "-", "-"
    return f"{values.min:g} .. {values.max:g}", f"{100 * values.zeros:.1f} %", str(values.nan + values.infinite)


def print_simulation(out: Path, marker: dict[str, object]) -> None:
    """Print a summary of the written folder."""
    files = cast("dict[str, int]", marker["files"])
    real = [name.replace("_", " ") for name, is_real in cast("dict[str, bool]", marker["real"]).items() if is_real]
    splits = ", ".join(f"{count} {name}" for name, count in cast("dict[str, int]", marker["splits"]).items())
    pairs = {
        "folder": str(out),
        "videos": f"{marker['videos']} ({splits}), {marker['categories']} categories",
        "negatives": str(marker["negatives"]),
        "audio": str(marker["audio"]),
        "size": size_text(sum(files.values())),
        "real": ", ".join(real) or "nothing",
        "next": f"avelzoo run ead-b --data {out} --epochs 3",
    }
    console = render.console()
    console.print(render.fields(pairs))
    console.print(str(marker["note"]))


def _print_origin(marker: object) -> None:
    if isinstance(marker, dict):
        render.console().print(str(marker.get("note", "The features in this folder are simulated.")))


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def size_text(count: int) -> str:
    """A number of bytes with a unit."""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
