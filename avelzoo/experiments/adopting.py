"""Finished run folders taken into an experiment instead of training again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from avelzoo.engine.record import with_newer_options
from avelzoo.errors import RunError
from avelzoo.sweeps.folder import SweepDir
from avelzoo.sweeps.plan import Trial
from avelzoo.system.files import make_folder, read_json, storage_error, whole_folder, write_json

FILES = ("composition.json", "metrics.jsonl", "best.safetensors", "predictions.h5", "result.json")
"""Files of a finished run; the state for resuming is left out."""

RECORD = "adopted.json"
"""Where an adopted run comes from, beside its files."""


def adopt(
    folders: Sequence[Path], trials: Iterable[Trial], sweep: SweepDir, data: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Take finished runs whose values, seed and data equal those of trials.

    Files are linked where the file system allows it, else copied; the adopted run is not changed.

    Args:
        folders: run folders, or folders of run folders.
        trials: the experiment's runs; those with a folder in the sweep are left alone.
        sweep: the experiment's sweep.
        data: name of a trial -> fingerprint of its data.

    Returns:
        Name of a trial -> the adopted run folder.

    Raises:
        RunError: a folder holds no finished run.
    """
    runs = [run for folder in folders for run in _finished_runs(folder)]
    alike: dict[tuple[Any, ...], list[tuple[Path, Mapping[str, Any]]]] = {}
    for run in runs:
        with suppress(RunError, KeyError, TypeError):  # damaged: nothing to adopt
            record = read_json(run, "composition.json")
            alike.setdefault(_about(record), []).append((run, record))
    found = {}
    for trial in trials:
        if sweep.run(trial).exists():
            continue
        for run, there in alike.get(_about(trial.composition), []):
            known = _trial_of(with_newer_options(there, trial.composition))
            same = known.identity_without_root == trial.identity_without_root
            if same and read_json(run, "result.json").get("data") == dict(data[trial.name]):
                _take(run, sweep.run(trial))
                found[trial.name] = str(run)
                break
    return found


def adopted_from(run: Path) -> str | None:
    """The folder that a run was adopted from; None for a run of the experiment itself."""
    if not (run / RECORD).exists():
        return None
    origin: str = read_json(run, RECORD)["folder"]
    return origin


def _finished_runs(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise RunError(
            f"there is no folder '{folder}'", fix="pass a run folder, or a folder of run folders, by --adopt"
        )
    candidates = [folder] if (folder / "composition.json").exists() else sorted(folder.iterdir())
    found = [run for run in candidates if all((run / name).exists() for name in FILES)]
    if not found:
        raise RunError(
            f"'{folder}' holds no finished run",
            expected=", ".join(FILES),
            fix="pass folders that `avelzoo run` finished",
        )
    yield from found


def _about(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Recipe, supervision and seed."""
    return record["recipe"], record["supervision"], record["slots"]["train"]["options"]["seed"]


def _trial_of(record: Mapping[str, Any]) -> Trial:
    return Trial(name="", cell={}, seed=0, composition=record)


def _take(run: Path, target: Path) -> None:
    make_folder(target.parent)
    try:
        with whole_folder(target) as draft:
            for name in FILES:
                try:
                    os.link(run / name, draft / name)
                except OSError:  # another file system, or one without links
                    shutil.copyfile(run / name, draft / name)
            write_json(draft / RECORD, {"folder": run.name})
    except OSError as error:
        raise storage_error(error, target) from error
