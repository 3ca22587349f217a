"""Comparison of run folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from avelzoo.comparing.comparing import compare
from avelzoo.comparing.comparison import Comparison
from avelzoo.comparing.folders import gather, run_folders
from avelzoo.comparing.grouping import named_groups
from avelzoo.comparing.signing import signature_of


def compare_runs(
    runs: Sequence[str | Path],
    *,
    split: str = "test",
    measure: str = "segment_accuracy",
    baseline: str | None = None,
    margin: float = 0.01,
    groups: str | Path | None = None,
    level: float = 0.95,
    resamples: int = 10_000,
) -> Comparison:
    """Compare finished runs on the same videos, as `avelzoo compare` does.

    Runs whose compositions differ only in the seed are one system. Names of systems are short: the recipe, and what
    was changed in it.

    Args:
        runs: run folders, sweep folders, folders of run folders, or patterns such as ``runs/ead-b-*``.
        split: ``test`` or ``val``.
        measure: a name of `avelzoo.metrics.counts.MEASURES`.
        baseline: system, or one of its run folders, that all others are compared with; by default all pairs are.
        margin: differences within +- this value are practically equal.
        groups: ``run-length``, ``category``, or a file (`file_groups`), for scores in groups of videos.
        level: coverage of the intervals.
        resamples: number of bootstrap samples and of random swaps.

    Raises:
        RunError: a folder holds no run, or a run is damaged or not finished.
        DataError: the runs have other videos or labels.
        UsageError: an unknown measure, baseline or group.

    >>> runs = [run("ead-b", encoder="mean-pool", seed=s, options={"train.epochs": 1}).run_dir for s in (0, 1)]
    >>> compare_runs(runs).rows[0].seeds
    (0, 1)
    """
    gathered = gather(run_folders(runs), split=split)
    truth, video_ids = gathered.labelled.truth, gathered.labelled.video_ids
    found = compare(
        gathered.systems,
        truth,
        video_ids,
        measure=measure,
        baseline=None if baseline is None else gathered.named(baseline),
        margin=margin,
        groups=None if groups is None else named_groups(str(groups), truth, video_ids),
        level=level,
        resamples=resamples,
        notes=gathered.notes,
    )
    signatures = {
        system.name: str(
            signature_of(
                group[0].composition["slots"],
                group[0].composition["supervision"],
                split,
                (video_ids, truth),
                interval=found.row(system.name).interval.method,
                seeds=system.runs,
            )
        )
        for system, group in zip(gathered.systems, gathered.runs, strict=True)
    }
    return replace(found, signatures=signatures)
