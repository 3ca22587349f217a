"""The runs of a report: run folders read without their models, in systems of runs that differ only in their seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from avelzoo.comparing.folders import StoredRun, run_folders, sweep_of
from avelzoo.comparing.naming import names
from avelzoo.comparing.systems import Labelled
from avelzoo.errors import RunError, UsageError, some
from avelzoo.metrics import PredictionArrays

SPLIT = "test"


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportRun:
    """A finished run, read without its model.

    Attributes:
        stored: composition and result.
        system: name of its system, shared by runs that differ only in their seed.
        labelled: videos and truth of the test split.
        found: predictions on them.
        epochs: lines of ``metrics.jsonl``; empty if the file is missing.
        first: the first run of its system.
    """

    stored: StoredRun
    system: str
    labelled: Labelled
    found: PredictionArrays
    epochs: Sequence[Mapping[str, Any]] = ()
    first: bool = True

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return int(self.stored.result["seed"])

    @property
    def name(self) -> str:
        """System and seed."""
        return f"{self.system}, seed {self.seed}"

    @property
    def scores(self) -> Mapping[str, Any]:
        """Scores on test, as in ``result.json``."""
        scores: Mapping[str, Any] = self.stored.result["scores"][SPLIT]
        return scores


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportRuns:
    """The runs of a report.

    Attributes:
        runs: by system, then by seed.
        notes: what a reader must know, such as folders that were left out.
    """

    runs: Sequence[ReportRun]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def systems(self) -> dict[str, list[ReportRun]]:
        """System -> its runs."""
        found: dict[str, list[ReportRun]] = {}
        for run in self.runs:
            found.setdefault(run.system, []).append(run)
        return found


def read_runs(words: Sequence[str | Path]) -> ReportRuns:
    """Read the finished runs that words name: run folders, sweeps, benches, folders of run folders, or patterns.

    Raises:
        RunError: a word names no run, a run is damaged, or none is finished.
    """
    folders = run_folders([_inside(word) for word in words])
    single = len(folders) == 1
    stored, unfinished = [], []
    for folder in folders:
        if not single and not (folder / "result.json").exists():
            unfinished.append(folder.name)
            continue
        stored.append(StoredRun.read(folder))
    if not stored:
        raise RunError(
            "no run is finished",
            where=", ".join(map(str, words)),
            found=some(unfinished) or "no run folder",
            expected="at least one folder with result.json",
            fix="wait for the runs, or resume them with `avelzoo run --resume`",
        )
    notes = [f"Left out, not finished: {some(unfinished)}."] if unfinished else []
    return ReportRuns(runs=_in_systems(stored), notes=tuple(notes))


def _inside(word: str | Path) -> str | Path:
    """The folder of runs in the folder of a sweep or bench, which may have unfinished runs; other words as they are."""
    place = Path(word)
    nested = (sweep_of(place) or place) / "runs"
    return nested if nested.is_dir() and not (place / "composition.json").exists() else word


def _in_systems(stored: Sequence[StoredRun]) -> list[ReportRun]:
    groups: dict[str, list[StoredRun]] = {}
    for run in stored:
        groups.setdefault(run.identity, []).append(run)
    found = []
    for name, group in zip(names([group[0].composition for group in groups.values()]), groups.values(), strict=True):
        for i, run in enumerate(sorted(group, key=lambda one: int(one.result["seed"]))):
            labelled, predictions = run.predictions(SPLIT)
            found.append(
                ReportRun(
                    stored=run,
                    system=name,
                    labelled=labelled,
                    found=predictions,
                    epochs=read_epochs(run.path / "metrics.jsonl"),
                    first=i == 0,
                )
            )
    return found


def read_epochs(path: Path) -> list[dict[str, Any]]:
    """Lines of ``metrics.jsonl``; none if the file is missing.

    Raises:
        RunError: a line is damaged.
    """
    if not path.exists():
        return []
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise RunError("a line of metrics.jsonl is damaged", where=f"{path}, line {number}") from error
        if not isinstance(row, dict) or "epoch" not in row:
            raise RunError("a line of metrics.jsonl has no epoch", where=f"{path}, line {number}", found=line[:80])
        rows.append(row)
    return rows


def chosen_videos(text: str | None, ids: Sequence[str]) -> list[int]:
    """Positions of the videos of ``--videos``: all, a number of them evenly spaced, or ids separated by commas.

    Raises:
        UsageError: no such video, or a number below 1.
    """
    if text is None or text == "all":
        return list(range(len(ids)))
    if text.isascii() and text.isdecimal() and text not in ids:
        count = min(int(text), len(ids))
        if count < 1:
            raise UsageError("--videos needs at least one video", found=text, expected="all, a number, or ids")
        return [i * len(ids) // count for i in range(count)]
    place = {name: i for i, name in enumerate(ids)}
    wanted = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [name for name in wanted if name not in place]
    if unknown or not wanted:
        raise UsageError(
            "the test split has no such video",
            where="--videos",
            found=some(unknown) or text,
            expected=f"ids such as {', '.join(ids[:2])}; a number; or all",
        )
    return [place[name] for name in dict.fromkeys(wanted)]
