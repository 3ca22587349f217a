"""The demonstration's commands, and what its predictions are compared with."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avelzoo.demo.clips import DemoClips
from avelzoo.demo.scenes import LEADS, Scene

RECIPE = (
    *("ead-b-tuned", "--encoder", "mean-pool", "--set", "encoder.standardize=true"),
    *("--set", "encoder.dropout=0.3", "--set", "optimizer.learning_rate=0.002"),
)
"""Standardized, because colours and motion are a hundredth of log-mel values: otherwise the model only listens."""
FEATURES, RUN, RESULTS = "features", "run", "results"


@dataclass(frozen=True)
class Step:
    """A command of the tutorial.

    Attributes:
        words: what it does, in a few words.
        arguments: the command's arguments after ``avelzoo``.
    """

    words: str
    arguments: tuple[str, ...]

    @property
    def line(self) -> str:
        """The command as typed in a shell."""
        return "avelzoo " + shlex.join(self.arguments)


def steps(out: Path, clips: DemoClips, *, epochs: int, seed: int = 0) -> tuple[Step, ...]:
    """The commands after the clips are written."""
    features, run = str(out / FEATURES), str(out / RUN)
    labels = ("--table", str(clips.table), "--out", features)
    new = tuple(str(path) for path, _ in clips.new)
    return (
        Step(
            "extract features of sound and pictures",
            ("extract", str(clips.videos), *labels, "--visual.grid", "3,3", "--visual.frames", "8"),
        ),
        Step(
            "train and evaluate a recipe",
            ("run", *RECIPE, "--epochs", str(epochs), "--seed", str(seed), "--data", features, "--out", run),
        ),
        Step(
            "localize events in new clips",
            ("predict", *new, "--run", run, "--out", str(out / RESULTS), "--plot", "--xray"),
        ),
    )


@dataclass(frozen=True)
class Comparison:
    """Predicted and true events of a clip.

    Attributes:
        clip: file name.
        lead: modality that decides, by construction.
        truth: category and span of the true event.
        found: categories and spans of the predicted events.
        agreement: share of the clip's seconds whose category is right.
    """

    clip: str
    lead: str
    truth: str
    found: str
    agreement: float


def compare(scene: Scene, clip: Path, events: Sequence[dict[str, object]], seconds: int) -> Comparison:
    """A clip's predicted events beside its true one."""
    told = [(str(event["category"]), float(str(event["start"])), float(str(event["end"]))) for event in events]
    real = [(scene.category, float(scene.event[0]), float(scene.event[1]))] if scene.event else []

    def at(second: int, spans: Sequence[tuple[str, float, float]]) -> str:
        return next((name for name, start, end in spans if start <= second < end), "")

    right = sum(at(second, told) == at(second, real) for second in range(seconds))
    return Comparison(clip.name, LEADS[scene.category], _words(real), _words(told), right / seconds)


def predicted_events(results: Path, clip: Path) -> list[dict[str, object]]:
    """Events in the JSON result of a clip."""
    path = next(path for path in sorted(results.glob(f"{clip.stem}*.json")))
    events: list[dict[str, object]] = json.loads(path.read_text("utf-8"))["events"]
    return events


def _words(spans: Sequence[tuple[str, float, float]]) -> str:
    return ", ".join(f"{name} {start:g}-{end:g} s" for name, start, end in spans) or "no event"
