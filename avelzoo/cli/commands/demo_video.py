"""`avelzoo demo-video`: from small videos of synthetic events to pictures of predicted events, command by command."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from avelzoo.cli import render
from avelzoo.errors import UsageError


def demo_video(
    out: Annotated[Path, typer.Option(help="Output folder, new or empty.")] = Path("demo-video"),
    clips: Annotated[int, typer.Option(help="Number of labelled clips of 10 seconds.", min=24)] = 150,
    new: Annotated[int, typer.Option(help="Number of new clips to predict.", min=1)] = 6,
    epochs: Annotated[int, typer.Option(help="Training epochs.", min=1)] = 60,
    seed: Annotated[int, typer.Option(help="Seed of clips and training.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")] = False,
) -> None:
    """Make small videos of synthetic events, extract, train, predict and plot; print each command.

    About two minutes on two cores. The things in the clips are audio-led, visual-led or balanced by construction.
    """
    from avelzoo.demo.clips import write_clips
    from avelzoo.demo.scenes import SECONDS
    from avelzoo.demo.steps import RESULTS, RUN, compare, predicted_events, steps
    from avelzoo.media.backend import av
    from avelzoo.system.files import read_json

    av()  # a missing library is named before anything is written
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise UsageError("the output folder is not empty", where=str(out), fix="name a new folder with --out")
    screen = render.console(stderr=json)
    begun = time.monotonic()
    made = write_clips(out, clips, seed, new=new)
    screen.print(
        f"wrote {clips} labelled clips to {made.videos}, their labels to {made.table}, {new} new clips to {out / 'new'}"
    )
    for step in steps(out, made, epochs=epochs, seed=seed):
        screen.print(f"\n{step.words}:", highlight=False)
        screen.print(f"$ {step.line}", highlight=False, markup=False, soft_wrap=True)
        _run(step.arguments, json=json)
    found = [compare(scene, path, predicted_events(out / RESULTS, path), SECONDS) for path, scene in made.new]
    scores = read_json(out / RUN, "result.json")["scores"]["test"]
    if json:
        comparisons = [vars(one) for one in found]
        render.emit_json({"out": str(out), "test": scores, "new": comparisons, "seconds": time.monotonic() - begun})
        return
    rows = [[one.clip, one.lead, one.truth, one.found, f"{100 * one.agreement:.0f} %"] for one in found]
    screen.print(render.table(["new clip", "led by", "truth", "predicted", "right"], rows, title="new clips"))
    screen.print(f"pictures in {out / RESULTS}; {time.monotonic() - begun:.0f} s in total")


def _run(arguments: tuple[str, ...], *, json: bool) -> None:
    """Run a command as its own process, as a user would; stop with its exit code."""
    sys.stdout.flush()
    done = subprocess.run(  # noqa: S603 - this program with arguments of its own
        [sys.executable, "-m", "avelzoo", *arguments], stdout=sys.stderr if json else None, check=False
    )
    if done.returncode:
        raise typer.Exit(done.returncode)
