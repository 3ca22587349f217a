"""`avelzoo data`: describe, check, simulate and pack data folders."""

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

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Data folder in AVE's public layout.")]
LEVELS: tuple[Level, ...] = ("error", "warning")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def status(folder: Folder, json: Json = False) -> None:
    """List the files of a folder and the experiments they allow."""
    from avelzoo.data.checking.status import status as look

    found = look(folder)
    if json:
        render.emit_json(found.to_dict())
    else:
        folders.print_status(found)


@app.command()
def doctor(
    folder: Folder,
    quick: Annotated[bool, typer.Option("--quick", help="Sample the features; skip checksums.")] = False,
    json: Json = False,
) -> None:
    """Examine every file: sizes, numbers, label rules, splits, checksums. Exit code 3 if any check fails."""
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
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write.")],
    annotations: Annotated[
        Path | None,
        typer.Option(help="Real annotations; order files and negatives' audio next to them are also used."),
    ] = None,
    videos: Annotated[int | None, typer.Option(help=r"Number of videos. \[default: 200]", show_default=False)] = None,
    full_size: Annotated[bool, typer.Option("--full-size", help="All videos: 8.3 GB for AVE's 4,143.")] = False,
    negatives: Annotated[
        int | None,
        typer.Option(help=r"Number of negatives. \[default: all real ones, or AVE's share]", show_default=False),
    ] = None,
    audio: Annotated[
        str, typer.Option(metavar="vggish|cnn14", help="Audio features of 128 or 2048 dimensions.")
    ] = "vggish",
    grid: Annotated[str, typer.Option(metavar="HxW", help="Grid of the visual map, height x width.")] = "7x7",
    visual_dim: Annotated[int, typer.Option(help="Visual channels.", min=1)] = 512,
    seed: Annotated[int, typer.Option(help="Seed of labels and features.", min=0)] = 0,
    force: Annotated[
        bool, typer.Option("--force", help="Rename an existing folder with other files, then write.")
    ] = False,
    json: Json = False,
) -> None:
    """Write a folder in the public layout with simulated features, in constant memory.

    With --annotations, labels and splits are real. Features are never real: scores say nothing about AVE.
    """
    from avelzoo.data.making.plan import DEFAULT_VIDEOS
    from avelzoo.data.making.simulate import Simulation, simulate as write
    from avelzoo.system.files import leftovers

    if full_size and videos is not None:
        raise UsageError("--full-size and --videos are mutually exclusive", fix="remove one of them")
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
        typer.echo(f"note: {path} belongs to another simulation; delete it if that simulation was stopped", err=True)
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
    dtype: Annotated[str, typer.Option(metavar="float16|float32", help="Number format of the features.")] = "float16",
    shards: Annotated[
        int | None, typer.Option(help="Number of files for each kind of features.", min=1, show_default=False)
    ] = None,
    shard_videos: Annotated[
        int | None, typer.Option(help="Videos per file, instead of --shards.", min=1, show_default=False)
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that write shards.", min=1)] = 1,
    json: Json = False,
) -> None:
    """Write a copy of a folder with half-precision features, a quarter of the size, and checksums.

    With --shards or --shard-videos, features are stored in several files; repeat a killed command to finish it.
    """
    from avelzoo.data.making.pack import PackedType, pack as write

    if dtype not in ("float16", "float32"):
        raise OptionError(f"unknown number format '{dtype}'", where="--dtype", expected="float16 or float32")
    sharded = shards is not None or shard_videos is not None
    if shards is not None and shard_videos is not None:
        raise UsageError("--shards and --shard-videos are mutually exclusive", fix="remove one of them")
    if workers > 1 and not sharded:
        raise UsageError("--workers needs --shards or --shard-videos", fix="add one of them, or remove --workers")
    kind = cast("PackedType", dtype)
    with _progress("packing") as begin:
        manifest = write(
            folder, out, dtype=kind, shards=shards, shard_videos=shard_videos, workers=workers, begin=begin
        )
    if json:
        render.emit_json({"root": str(out), **manifest})
        return
    size = sum(entry["bytes"] for entry in manifest["files"].values())
    count = sum("rows" in entry for entry in manifest["files"].values())
    pairs = {
        "folder": str(out),
        "features": dtype + (f", in {count} shards" if count else ""),
        "size": folders.size_text(size),
        "next": f"avelzoo run ead-b --data {out}",
    }
    render.console().print(render.fields(pairs))


@app.command()
def modality(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Data folder in AVE's public layout.", show_default=False)
    ] = None,
    dataset: Annotated[str | None, typer.Option(metavar="NAME", help="Another data set, such as worlds.")] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="dataset.option=value", help="Option of the data. Repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write, for `compare --groups FILE`.")] = None,
    margin: Annotated[float, typer.Option(help="Smallest difference of a led category, in points.")] = 10.0,
    folds: Annotated[int, typer.Option(help="Number of parts of the training videos.", min=2)] = 5,
    json: Json = False,
) -> None:
    """Decide on training videos which modality leads each category: audio, visual, or neither."""
    from avelzoo.cli.modality import decide, modality_rows, write_modality

    with render.video_progress() as progress:
        found = decide(folder, dataset, values or (), progress=progress, margin=margin / 100, folds=folds)
    if out is not None:
        write_modality(out, found)
    if json:
        render.emit_json(found)
        return
    columns = ("category", "led", "videos", "audio", "visual", "difference")
    console = render.console()
    console.print(
        render.table(
            columns, modality_rows(found), title="event/background, balanced accuracy in percent", right=columns[2:]
        )
    )
    console.print(f"{found['rule'][0].upper()}{found['rule'][1:]}.")
    console.print(render.fields({"file": str(out or ""), "data": f"{found['dataset']}, {found['data']}"}))


def _grid(text: str) -> tuple[int, int]:
    h, cross, w = text.lower().partition("x")
    if not (cross and h.isdigit() and w.isdigit() and int(h) and int(w)):
        raise OptionError(f"'{text}' is not a grid", where="--grid", expected="two numbers, such as 7x7")
    return int(h), int(w)


@contextmanager
def _progress(doing: str) -> Iterator[Begin]:
    """A progress bar of bytes on stderr; none without a terminal."""
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
