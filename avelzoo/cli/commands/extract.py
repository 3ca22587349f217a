"""`avelzoo extract`: features of a user's own videos, as a data folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avelzoo.cli import render
from avelzoo.cli.commands.sweep import DEFAULT, launcher_config
from avelzoo.cli.failures import StoppedError
from avelzoo.cli.options import typed, with_options
from avelzoo.errors import printable
from avelzoo.extraction.naming import AUDIO, VISUAL, extractor_config, require_modality
from avelzoo.plugin.default import default_host
from avelzoo.plugin.host import PluginHost

if TYPE_CHECKING:
    from avelzoo.config import Config
    from avelzoo.extraction.jobs import OnVideo
    from avelzoo.extraction.record import Record
    from avelzoo.extraction.result import ExtractionResult
    from avelzoo.extractors import Modality
    from avelzoo.plugin.registry import Registry

FEATURES = "Features"
LABELS = "Labels"
WORK = "Work"
SHOWN = 20
"""Largest number of failures that the summary lists."""
_NAMED = ("visual", "audio", "launcher")


def register(app: typer.Typer, name: str, text: str, argv: Sequence[str]) -> None:
    """Add the command, with the options of the extractors and the launcher that the arguments name."""
    host = default_host()
    command = with_options(extract, _configs(host.registry, argv), host=host)
    app.command(name, help=f"{text}\n\n{_DETAILS}")(command)


_DETAILS = """VIDEOS are files, and folders with their subfolders. Repeat an interrupted command to continue it.

Exit code 0: all videos were extracted, 1: some, 2: none. Without --table the folder holds features alone.

`avelzoo list extractors` lists the extractors; the default ones need no weights."""


def extract(
    host: PluginHost,
    dotted: Mapping[str, str | None],
    out: Annotated[Path, typer.Option(help="Output folder; new, or of an interrupted extraction.")],
    videos: Annotated[
        list[Path] | None,
        typer.Argument(metavar="VIDEOS", help="Video files, and folders of videos.", readable=False),
    ] = None,
    visual: Annotated[str, typer.Option(help="Visual extractor, or timm:MODEL.", rich_help_panel=FEATURES)] = VISUAL,
    audio: Annotated[str, typer.Option(help="Audio extractor.", rich_help_panel=FEATURES)] = AUDIO,
    seconds: Annotated[float, typer.Option(help="Length of a segment in seconds.", rich_help_panel=FEATURES)] = 1.0,
    segments: Annotated[
        int | None,
        typer.Option(
            help=r"Longer videos are cut to this number of segments. \[default: no limit]", rich_help_panel=FEATURES
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda", help="Device of the extractors.", rich_help_panel=FEATURES)
    ] = "auto",
    precision: Annotated[
        str, typer.Option(metavar="32|bf16|auto", help="Number format of the extractors.", rich_help_panel=FEATURES)
    ] = "32",
    offline: Annotated[
        bool, typer.Option("--offline", help="Never download weights.", rich_help_panel=FEATURES)
    ] = False,
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Labels: video,category,start,end[,split].", rich_help_panel=LABELS),
    ] = None,
    split: Annotated[
        str,
        typer.Option(help="Shares of train, val, test, if the table names no splits.", rich_help_panel=LABELS),
    ] = "0.8,0.1,0.1",
    split_seed: Annotated[int, typer.Option(min=0, help="Seed of the splits.", rich_help_panel=LABELS)] = 0,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try failed videos again.", rich_help_panel=WORK)
    ] = False,
    by_content: Annotated[
        bool,
        typer.Option("--by-content", help="Recognise finished videos by content.", rich_help_panel=WORK),
    ] = False,
    shard: Annotated[
        str,
        typer.Option(metavar="i/n", help="Every n-th video, from the i-th on.", rich_help_panel=WORK),
    ] = "1/1",
    launcher: Annotated[
        str | None, typer.Option(help=r"Launcher of the jobs. \[default: inline]", rich_help_panel=WORK)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.", rich_help_panel=WORK)] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.", rich_help_panel=WORK)] = False,
) -> None:
    """Extract features of videos into a data folder."""
    from avelzoo.extraction.locking import Shard
    from avelzoo.extraction.request import ExtractionRequest, Features
    from avelzoo.extraction.running import extract as run
    from avelzoo.extraction.splits import parse_shares

    given = _apart(dotted)
    request = ExtractionRequest(
        out=out,
        videos=tuple(videos or ()),
        table=table,
        features=Features(
            visual=visual,
            audio=audio,
            visual_options=given["visual"],
            audio_options=given["audio"],
            seconds=seconds,
            segments=segments,
            device=device,
            precision=precision,
            offline=offline,
        ),
        shares=parse_shares(split),
        split_seed=split_seed,
        shard=Shard.parse(shard),
        retry_failed=retry_failed,
        by_content=by_content,
    )
    chosen = host.registry.get("launcher", launcher or DEFAULT).target.from_dict(given["launcher"])
    try:
        with _progress(quiet=quiet) as on_video:
            result = run(request, host=host, launcher=chosen, on_video=on_video)
    except KeyboardInterrupt:
        fix = "repeat the command; finished videos are not extracted again"
        raise StoppedError("the extraction was interrupted", where=str(out), fix=fix) from None
    if json:
        render.emit_json(result.to_dict())
    if not quiet:
        _print(result, request.table is not None, stderr=json)
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def _configs(registry: Registry, argv: Sequence[str]) -> dict[str, Config]:
    """Configs with defaults whose options the command has: those of the extractors and the launcher that are named."""
    named = {"visual": VISUAL, "audio": AUDIO}
    words = iter(argv)
    for word in words:
        option, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and option in _NAMED:
            named[option] = value if equals else next(words, "")
    found: dict[str, Config] = {}
    modalities: tuple[Modality, ...] = ("visual", "audio")
    for modality in modalities:
        config = extractor_config(registry, named[modality], {})
        require_modality(config, modality, named[modality])
        found[modality] = config
    dotted = [word.partition("=")[0] for word in argv]
    launcher = launcher_config(registry, named.get("launcher"), dotted)
    return found | ({} if launcher is None else {"launcher": launcher})


def _apart(dotted: Mapping[str, str | None]) -> dict[str, dict[str, Any]]:
    """The typed values by extractor and launcher, then by option."""
    found: dict[str, dict[str, Any]] = {name: {} for name in _NAMED}
    for override in typed(dotted):
        name, _, option = override.path.partition(".")
        found[name][option] = override.value
    return found


@contextmanager
def _progress(*, quiet: bool) -> Iterator[OnVideo | None]:
    """A progress bar on a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    with render.video_progress() as progress:
        task = progress.add_task("extracting", total=None)

        def on_video(name: str, record: Record, over: int, of: int) -> None:
            if progress.tasks[task].total is None:  # videos of an earlier call say nothing about the speed
                progress.reset(task, total=of, completed=over - 1)
            progress.update(task, completed=over, description=printable(name)[-40:])
            if record.failed:
                progress.console.print(_failure(name, record.reason), soft_wrap=True)

        yield on_video


def _failure(name: str, reason: str) -> str:
    return f"failed: {printable(name)}: {reason}"


def _print(result: ExtractionResult, labelled: bool, *, stderr: bool) -> None:
    out = render.console(stderr=stderr)
    counts = ", ".join(f"{count} {status}" for status, count in sorted(result.statuses.items()))
    splits = ", ".join(f"{count} {name}" for name, count in result.splits.items())
    waiting = f"{result.waiting} videos of other shards; the last one to end writes the data folder"
    ready = labelled and result.rows > 0
    size = f"{result.rows} of up to {result.segments} segments, {result.categories} categories"
    rows = {
        "videos": f"{result.extracted} of {result.videos} extracted" + (f": {counts}" if counts else ""),
        "from an earlier call": str(result.resumed or ""),
        "failed": f"{len(result.failed)}, see below; --retry-failed tries again" if result.failed else "",
        "left out": f"{len(result.left_out)} events after the end of their video" if result.left_out else "",
        "waiting for": waiting if result.waiting else "",
        "visual features": result.recipes[0],
        "audio features": result.recipes[1],
        "rows": size if ready else "",
        "splits": splits,
        "time": f"{result.seconds:.0f} s",
        "speed": result.throughput.describe() if result.throughput is not None else "",
        "data folder": result.out,
        "next": f"avelzoo run ead-b --data {result.out}" if ready else "",
    }
    out.print(render.fields(rows))
    for name, reason in list(result.failed.items())[:SHOWN]:
        out.print(_failure(name, reason), soft_wrap=True)
    if len(result.failed) > SHOWN:
        out.print(f"and {len(result.failed) - SHOWN} more, in {Path(result.out, 'videos.csv')}", soft_wrap=True)
    for line in result.left_out:
        out.print(f"left out: {printable(line)}", soft_wrap=True)
