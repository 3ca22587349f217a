"""Run folders as systems: runs that differ only in their seed belong together. Needs h5py, and no torch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np

from avelzoo.comparing.naming import names
from avelzoo.comparing.systems import Labelled, System
from avelzoo.errors import DataError, RunError, UsageError, some
from avelzoo.metrics import PredictionArrays
from avelzoo.metrics.stored import load_predictions
from avelzoo.system.files import DAMAGED, read_json


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredRun:
    """A finished run folder, read without its model.

    Attributes:
        path: run folder.
        composition: content of ``composition.json``.
        result: content of ``result.json``.
    """

    path: Path
    composition: Mapping[str, Any]
    result: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> StoredRun:
        """Read a run folder.

        Raises:
            RunError: the folder holds no run, or the run is damaged or not finished.
        """
        composition = read_json(path, "composition.json")
        if not (path / "result.json").exists():
            imported = "imported" in composition
            raise RunError(
                "an imported checkpoint has no predictions" if imported else "the run is not finished",
                where=str(path),
                found="no result.json",
                fix="compare runs that avelzoo trained" if imported else f"`avelzoo run --resume {path}`",
            )
        result = read_json(path, "result.json")
        lacking = [
            f"{name} in composition.json" for name in ("recipe", "supervision", "slots") if name not in composition
        ]
        lacking += [f"{name} in result.json" for name in ("seed", "data", "scores") if name not in result]
        slots = composition.get("slots")
        if not (isinstance(slots, dict) and all(isinstance(row, dict) and "options" in row for row in slots.values())):
            lacking.append("options in the slots of composition.json")
        if lacking:
            raise RunError("the run is damaged", where=str(path), found="no " + ", ".join(lacking), fix=DAMAGED)
        return cls(path=path, composition=composition, result=result)

    @property
    def identity(self) -> str:
        """Equal for runs that differ at most in their seed and in the place of their data."""
        apart = {"train": ("seed",), "dataset": ("root",)}
        slots = {
            slot: [row.get("name"), {k: v for k, v in row["options"].items() if k not in apart.get(slot, ())}]
            for slot, row in self.composition["slots"].items()
        }
        return json.dumps([self.composition["recipe"], self.composition["supervision"], slots], sort_keys=True)

    def predictions(self, split: str) -> tuple[Labelled, PredictionArrays]:
        """Videos, truth and predictions of a split.

        Raises:
            RunError: the file is missing or damaged, or lacks the split.
        """
        path = self.path / "predictions.h5"
        ids, found, truth = load_predictions(path, split)
        return Labelled(where=str(self.path), video_ids=ids, truth=truth), found


@dataclass(frozen=True, kw_only=True, eq=False)
class Gathered:
    """Systems of several run folders on one split.

    Attributes:
        split: the split.
        labelled: its videos and truth.
        systems: the systems, in the order of their first run.
        runs: runs of each system, in the order of ``systems``.
        notes: facts that a reader of the comparison must know.
    """

    split: str
    labelled: Labelled
    systems: tuple[System, ...]
    runs: tuple[tuple[StoredRun, ...], ...]
    notes: tuple[str, ...] = ()

    def named(self, word: str) -> str:
        """Name of the system with this name or run folder; the word itself if there is none."""
        place = Path(word).resolve()
        for system, runs in zip(self.systems, self.runs, strict=True):
            if any(run.path.resolve() == place for run in runs):
                return system.name
        return word


def gather(folders: Sequence[Path], *, split: str = "test") -> Gathered:
    """Read finished run folders; runs of equal composition, except the seed, are one system.

    Raises:
        RunError: a folder holds no finished run, or two runs of a system have the same seed or other data.
        DataError: the runs have other videos or labels.
    """
    runs = [StoredRun.read(path) for path in folders]
    groups: dict[str, list[StoredRun]] = {}
    for run in runs:
        groups.setdefault(run.identity, []).append(run)
    for group in groups.values():
        _require_one_system(group)
    first: Labelled | None = None
    systems = []
    for name, group in zip(names([group[0].composition for group in groups.values()]), groups.values(), strict=True):
        answers = []
        for run in group:
            labelled, found = run.predictions(split)
            if first is None:
                first = labelled
            first.require_same(labelled)
            answers.append(found)
        systems.append(_system(name, group, answers))
    if first is None:
        raise UsageError("no run folder given", fix="`avelzoo compare RUN RUN...`")
    notes = tuple(_different_data([group[0] for group in groups.values()]))
    ordered = tuple(map(tuple, groups.values()))
    return Gathered(split=split, labelled=first, systems=tuple(systems), runs=ordered, notes=notes)


def run_folders(words: Sequence[str | Path]) -> list[Path]:
    """Run folders that words name: run folders, sweeps, benches, folders of run folders, or patterns (``runs/*``).

    Raises:
        RunError: a word names no run, or a sweep is not finished.
    """
    found: dict[Path, Path] = {}
    for word in map(str, words):
        places = [word] if Path(word).exists() or not any(c in word for c in "*?[") else sorted(glob(word))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not places:
            raise RunError("no folder matches the pattern", where=word, fix="check the pattern")
        for place in map(Path, places):
            for path in _runs_in(place, strict=len(places) == 1):
                found.setdefault(path.resolve(), path)
    return list(found.values())


def _runs_in(place: Path, *, strict: bool, resume: str = "") -> Iterator[Path]:
    if (place / "composition.json").exists():
        yield place
    elif sweep := sweep_of(place):
        yield from _runs_in(sweep, strict=strict, resume=f"avelzoo bench {place} --resume")
    elif (place / "sweep.json").exists():
        trials = [place / "runs" / str(trial.get("name")) for trial in read_json(place, "sweep.json").get("trials", [])]
        left = [path.name for path in trials if not (path / "result.json").exists()]
        if left or not trials:
            raise RunError(
                "the sweep is not finished",
                where=str(place),
                found=f"{len(left)} of {len(trials)} runs without a result: {some(left)}",
                fix=f"`{resume or f'avelzoo run --resume {place}'}`, or name its finished runs",
            )
        yield from trials
    else:
        inside = sorted(path.parent for path in place.glob("*/composition.json"))
        if not inside and strict:
            read_json(place, "composition.json")  # raises the usual message
        yield from inside


def sweep_of(bench: Path) -> Path | None:
    """The sweep with the runs of an experiment; None for folders that `avelzoo bench` did not make.

    Raises:
        RunError: the folder has the results of the experiment, but not its runs.
    """
    if not (bench / "plan.json").is_file():
        return None
    sweep = bench / "sweep"
    if not (sweep / "sweep.json").is_file():
        raise RunError(
            "the folder of an experiment has no runs",
            where=str(bench),
            found="no sweep/sweep.json",
            expected="the folder that `avelzoo bench --out` wrote, with its runs",
            fix=f"`avelzoo bench {bench} --recompute` makes the tables and charts again without the runs",
        )
    return sweep


def _require_one_system(group: Sequence[StoredRun]) -> None:
    """Refuse runs that cannot be trainings of one system."""
    by_seed: dict[int, StoredRun] = {}
    for run in group:
        other = by_seed.setdefault(run.result["seed"], run)
        if other is not run:
            raise RunError(
                "two runs have the same composition and the same seed",
                where=f"{other.path} and {run.path}",
                found=f"seed {run.result['seed']}",
                expected="other seeds, or another composition",
                fix="name one of them",
            )
        if run.result["data"] != group[0].result["data"]:
            raise DataError(
                "runs of one system were trained on different data",
                where=f"{group[0].path} and {run.path}",
                found=", ".join(_differing(group[0], run)),
                fix="compare runs that were trained on the same files",
            )


def _differing(one: StoredRun, other: StoredRun) -> list[str]:
    a, b = one.result["data"], other.result["data"]
    return [name for name in dict.fromkeys([*a, *b]) if a.get(name) != b.get(name)]


def _different_data(runs: Sequence[StoredRun]) -> Iterator[str]:
    """A note if systems were trained on different files; their test labels are the same."""
    names_ = list(dict.fromkeys(name for run in runs[1:] for name in _differing(runs[0], run)))
    if names_:
        yield f"the systems were trained on different data ({some(names_)}); the videos and labels here are the same"


def _system(name: str, group: Sequence[StoredRun], answers: Sequence[PredictionArrays]) -> System:
    return System(
        name=name,
        segments=np.stack([found.segments for found in answers]),
        category=np.stack([found.category for found in answers]),
        seeds=tuple(run.result["seed"] for run in group),
        paths=tuple(str(run.path) for run in group),
        leaks_duration=any(run.result.get("leaks_duration", False) for run in group),
    )
