"""`avelzoo data`: what a folder holds, what is wrong with it, and folders to try things with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from avelzoo.cli import folders, render
from avelzoo.errors import DataError, OptionError, UsageError

if TYPE_CHECKING:
    from avelzoo.data.checking.findings import Level
    from avelzoo.data.reading.layout import AudioKind

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

Tick = Callable[[int], None]
Begin = Callable[[int], Tick | None]

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder in AVE's public layout.")]
LEVELS: tuple[Level, ...] = ("error", "warning")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def status(folder: Folder, json: Json = False) -> None:
    """Which files are there, and what they allow."""
    from avelzoo.data.checking.status import status as look

    found = look(folder)
    if json:
        render.emit_json(found.to_dict())
    else:
        folders.print_status(found)


@app.command()
def doctor(
    folder: Folder,
    quick: Annotated[bool, typer.Option("--quick", help="Sample the features; leave checksums out.")] = False,
    json: Json = False,
) -> None:
    """Examine every file: sizes, numbers, label rules, splits, checksums. Exit code 3 if something is broken."""
    from avelzoo.data.checking.doctor import examine, work

    with _progress("examining") as begin:
        report = examine(folder, quick=quick, tick=begin(work(folder, quick=quick)))
    if json:
        render.emit_json(report.to_dict())
    else:
        folders.print_report(report)
    if not report.ok:
        raise typer.Exit(DataError.exit_code)


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write.")],
    annotations: Annotated[
        Path | None,
        typer.Option(help="Real annotations; order files and the negatives' audio beside them are used as well."),
    ] = None,
    videos: Annotated[int | None, typer.Option(help="How many videos. [default: 200]", show_default=False)] = None,
    full_size: Annotated[bool, typer.Option("--full-size", help="All videos: 8.3 GB for AVE's 4,143.")] = False,
    negatives: Annotated[
        int | None,
        typer.Option(help="How many negatives. [default: the real ones, or AVE's share]", show_default=False),
    ] = None,
    audio: Annotated[str, typer.Option(metavar="vggish|cnn14", help="Audio features: 128 or 2048 wide.")] = "vggish",
    grid: Annotated[str, typer.Option(metavar="HxW", help="Cells of the visual map.")] = "7x7",
    visual_dim: Annotated[int, typer.Option(help="Visual channels.", min=1)] = 512,
    seed: Annotated[int, typer.Option(help="Seed of everything.", min=0)] = 0,
    force: Annotated[bool, typer.Option("--force", help="Move a folder with other files aside.")] = False,
    json: Json = False,
) -> None:
    """Write a folder in the public layout whose features are made up, in constant memory.

    Labels and splits are real where --annotations says so, features never are: scores on them say nothing about AVE.
    """
    from avelzoo.data.making.plan import DEFAULT_VIDEOS
    from avelzoo.data.making.simulate import Simulation, simulate as write
    from avelzoo.system.files import leftovers

    if full_size and videos is not None:
        raise UsageError("--full-size and --videos exclude each other", fix="leave one of them out")
    if audio not in ("vggish", "cnn14"):
        raise OptionError(f"unknown audio features '{audio}'", where="--audio", expected="vggish or cnn14")
    simulation = Simulation(
        annotations=annotations,
        videos=None if full_size else DEFAULT_VIDEOS if videos is None else videos,
        negatives=negatives,
        audio=cast("AudioKind", audio),
        seed=seed,
        grid=_grid(grid),
        visual_dim=visual_dim,
    )
    for path in leftovers(out):
        typer.echo(f"note: {path} is of a simulation that goes on, or was stopped and can be deleted", err=True)
    with _progress("writing") as begin:
        marker = write(simulation, out, force=force, begin=begin)
    if json:
        render.emit_json({"root": str(out), **marker})
    else:
        folders.print_simulation(out, marker)


@app.command()
def pack(
    folder: Folder,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write; new or empty.")],
    dtype: Annotated[str, typer.Option(metavar="float16|float32", help="Type of the packed features.")] = "float16",
    json: Json = False,
) -> None:
    """Write a copy with features in half precision, a quarter of the size: read as any folder, with checksums."""
    from avelzoo.data.making.pack import PackedType, pack as write

    if dtype not in ("float16", "float32"):
        raise OptionError(f"unknown type '{dtype}'", where="--dtype", expected="float16 or float32")
    with _progress("packing") as begin:
        manifest = write(folder, out, dtype=cast("PackedType", dtype), begin=begin)
    if json:
        render.emit_json({"root": str(out), **manifest})
        return
    size = sum(entry["bytes"] for entry in manifest["files"].values())
    pairs = {
        "folder": str(out),
        "features": dtype,
        "size": folders.size_text(size),
        "next": f"avelzoo run ead-b --data {out}",
    }
    render.console().print(render.fields(pairs))


def _grid(text: str) -> tuple[int, int]:
    h, cross, w = text.lower().partition("x")
    if not (cross and h.isdigit() and w.isdigit() and int(h) and int(w)):
        raise OptionError(f"'{text}' is not a grid", where="--grid", expected="two numbers as in 7x7")
    return int(h), int(w)


@contextmanager
def _progress(doing: str) -> Iterator[Begin]:
    """A bar on stderr that counts bytes, once it knows their number; nothing without a terminal."""
    if not sys.stderr.isatty():
        yield lambda total: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=render.console(stderr=True), transient=True) as progress:

        def begin(total: int) -> Tick:
            task = progress.add_task(doing, total=total)
            return lambda count: progress.advance(task, count)

        yield begin
