"""`avelzoo predict`: events in a user's own videos."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from avelzoo.cli import render
from avelzoo.cli.failures import StoppedError
from avelzoo.cli.localized import emit, print_outcomes
from avelzoo.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from avelzoo.localization.batch import Outcome
    from avelzoo.localization.localizer import Localizer
    from avelzoo.localization.settings import Settings

SYSTEM, DECIDING, PART, RESULTS = "System", "Decision", "Part of each video", "Results"


def predict(
    # Permission is asked per video when it is opened, so that one file never stops the batch.
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES", help="Video files, and folders of videos.", readable=False)
    ],
    run: Annotated[str | None, typer.Option(metavar="RUN_DIR", help="Run folder.", rich_help_panel=SYSTEM)] = None,
    events: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Events by name, without training.", rich_help_panel=SYSTEM),
    ] = None,
    visual: Annotated[
        str | None, typer.Option(help="Visual extractor, if the run records none.", rich_help_panel=SYSTEM)
    ] = None,
    audio: Annotated[
        str | None, typer.Option(help="Audio extractor, if the run records none.", rich_help_panel=SYSTEM)
    ] = None,
    force: Annotated[
        bool | None, typer.Option("--force", help="Accept features of another recipe.", rich_help_panel=SYSTEM)
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda", help="Device for the computation.", rich_help_panel=SYSTEM)
    ] = "auto",
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.", rich_help_panel=SYSTEM)] = False,
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="X|val",
            help=r"Relevance of an event, in \[0, 1]; val: chosen on val. \[default: the run's rule]",
            rich_help_panel=DECIDING,
        ),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(help=r"Segments per window. \[default: as in training]", rich_help_panel=DECIDING),
    ] = None,
    overlap: Annotated[
        float | None, typer.Option(help=r"Overlapping share of windows. \[default: 0.5]", rich_help_panel=DECIDING)
    ] = None,
    start: Annotated[
        float | None, typer.Option(help=r"Where to begin, in seconds. \[default: 0]", rich_help_panel=PART)
    ] = None,
    duration: Annotated[
        float | None, typer.Option(help=r"Seconds to read. \[default: all]", rich_help_panel=PART)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Output folder; repeat a command to continue it.", rich_help_panel=RESULTS)
    ] = None,
    formats: Annotated[
        str | None,
        typer.Option("--format", metavar="NAMES|all", help=r"Formats. \[default: json]", rich_help_panel=RESULTS),
    ] = None,
    xray: Annotated[
        bool | None, typer.Option("--xray", help="Shares of sound and sight in each decision.", rich_help_panel=RESULTS)
    ] = None,
    plot: Annotated[
        bool | None, typer.Option("--plot", help="Draw every result, as SVG and PNG.", rich_help_panel=RESULTS)
    ] = None,
    clips: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Cut out every event, for review.", rich_help_panel=RESULTS)
    ] = None,
    random: Annotated[
        int | None, typer.Option(min=0, help="Random segments to cut out too, by relevance.", rich_help_panel=RESULTS)
    ] = None,
    load_params: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settings of an earlier batch; other options win.", rich_help_panel=RESULTS),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.", rich_help_panel=RESULTS)] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no table.", rich_help_panel=RESULTS)] = False,
) -> None:
    """Localize events in videos: with a trained run, or by name without training.

    Exit code 0: all videos have results, 1: some, 2: none.
    """
    from avelzoo.localization import batch, summary
    from avelzoo.localization.outputs import Outputs, formats_of
    from avelzoo.localization.settings import Settings, read_settings, write_settings
    from avelzoo.plugin.default import default_host

    given = {
        "run": run,
        "events": events,
        "threshold": threshold,
        "window": window,
        "overlap": overlap,
        "start": start,
        "duration": duration,
        "visual": visual,
        "audio": audio,
        "force": force,
        "xray": xray,
        "plot": plot,
        "formats": formats,
        "clips": None if clips is None else str(clips),
        "random": random,
    }
    settings = (Settings() if load_params is None else read_settings(load_params)).overridden(given)
    settings.require_one_system()
    if out is None and (formats or plot):
        found = f"--format {formats}" if formats else "--plot"
        raise UsageError("results in files need an output folder", found=found, fix="add --out DIR")
    if settings.random and not settings.clips:
        raise UsageError("random clips need a folder", found=f"--random {settings.random}", fix="add --clips DIR")
    outputs = None
    if out is not None:
        outputs = Outputs(out, formats_of(default_host().registry, settings.formats or "json"), settings.plot)
    videos = batch.videos_of(files)
    outcomes: list[Outcome] = []
    with _localizer(settings, device=device, offline=offline) as localizer:
        facts = {
            "decision": localizer.rule.words,
            "threshold": localizer.rule.threshold,
            "window": localizer.layout.window,
            "hop": localizer.layout.hop,
            "seconds_per_segment": localizer.front.seconds,
            "recipes": localizer.front.recipes,
            "notices": list(localizer.front.notices),
        }
        began = perf_counter()
        work = batch.predict_batch(localizer, videos, outputs, start=settings.start, duration=settings.duration)
        try:
            with _progress(len(videos), quiet=quiet) as step:
                for outcome in work:
                    outcomes.append(outcome)
                    step(outcome)
        except KeyboardInterrupt:
            fix = "repeat the command; finished videos are not scored again" if out else "use --out DIR to keep results"
            raise StoppedError("the prediction was interrupted", where=str(out or ""), fix=fix) from None
    speed = batch.throughput(outcomes, perf_counter() - began, start=settings.start)
    rows = {"decision": localizer.rule.words, "windows": _windows(localizer), "results": str(out or "")}
    rows["speed"] = speed.describe() if speed is not None else ""
    if outputs is not None:
        write_settings(outputs.folder, settings, facts)
        summary.write_summary(outputs.folder, outcomes, shared=localizer.front.notices, add=True)
    if settings.clips:
        rows["clips"] = _cut(Path(settings.clips), outcomes, settings.random)
    code = batch.exit_code(outcomes)
    if json:
        facts["throughput"] = None if speed is None else speed.to_dict()
        emit(outcomes, facts, code)
    if not quiet:
        print_outcomes(outcomes, rows, localizer.front.notices, stderr=json)
    if code:
        raise typer.Exit(code)


def _localizer(settings: Settings, *, device: str, offline: bool) -> Localizer:
    from avelzoo.localization.localizer import Localizer
    from avelzoo.system.allocator import keep_freed_memory

    keep_freed_memory(device)
    if settings.events:
        return Localizer.named(
            settings.events,
            threshold=settings.threshold,
            window=settings.window,
            overlap=settings.overlap,
            visual=settings.visual or None,
            audio=settings.audio or None,
            device=device,
            offline=offline,
        )
    return Localizer.load(
        settings.run,
        threshold=settings.threshold,
        window=settings.window,
        overlap=settings.overlap,
        visual=settings.visual or None,
        audio=settings.audio or None,
        force=settings.force,
        xray=settings.xray,
        device=device,
        offline=offline,
    )


def _windows(localizer: Localizer) -> str:
    layout, seconds = localizer.layout, localizer.front.seconds
    return f"{layout.window} segments of {seconds:g} s, a new one every {layout.hop}"


def _cut(folder: Path, outcomes: Sequence[Outcome], random: int) -> str:
    from avelzoo.localization.clips import cut_clips, events_to_cut, random_to_cut

    results = [outcome.result for outcome in outcomes]
    wanted = [*events_to_cut(results), *random_to_cut(results, random)]
    files, faults = cut_clips(folder, wanted)
    for fault in faults:
        render.console(stderr=True).print(f"no clip of {printable(fault)}", soft_wrap=True)
    return f"{len(files)} of {len(wanted)} in {folder}"


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[Outcome], None]]:
    """A progress bar on a terminal, for more than one video."""
    if quiet or total < 2 or not sys.stderr.isatty():
        yield lambda outcome: None
        return
    with render.video_progress() as progress:
        task = progress.add_task("predicting", total=total)
        yield lambda outcome: progress.update(task, advance=1, description=printable(outcome.name)[-40:])
