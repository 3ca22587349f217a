"""From run folders to a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from avelzoo.comparing import Comparison, System, compare
from avelzoo.comparing.comparison import Row
from avelzoo.comparing.signing import signature_of
from avelzoo.errors import some
from avelzoo.metrics.signature import Signature, data_hash
from avelzoo.reporting.blocks import Panel
from avelzoo.reporting.groups import groups_of
from avelzoo.reporting.model_facts import FILE, model_facts
from avelzoo.reporting.packing import pack
from avelzoo.reporting.page import render
from avelzoo.reporting.projection import Method
from avelzoo.reporting.runs import ReportRun, ReportRuns, read_runs
from avelzoo.reporting.sections import (
    calibration,
    categories,
    comparison,
    composition,
    confusion,
    embedding,
    learning,
    memory,
    overview,
    videos,
)
from avelzoo.system.files import read_json, write_bytes

if TYPE_CHECKING:
    from avelzoo.plugin.registry import Registry

RESAMPLES = 10_000


@dataclass(frozen=True, kw_only=True)
class Report:
    """A written report.

    Attributes:
        path: the file.
        bytes: its size.
        runs: names of the runs.
        sections: id of a section -> reason why it, or a part of it, was left out; empty if nothing was.
        copies: compact copies of the runs.
        notes: what a reader must know.
    """

    path: Path
    bytes: int
    runs: tuple[str, ...]
    sections: Mapping[str, str]
    copies: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReportRequest:
    """What a report shall have.

    Attributes:
        title: heading; by default, the names of the systems.
        videos: timelines: ``all``, a number of videos, or ids separated by commas.
        groups: file with groups of videos, as `file_groups` reads it; None for none.
        model: read models, for the map, the memory and X-rays.
        method: projection of the map.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        resamples: bootstrap samples and random swaps of intervals and tests.
        pack: folder for compact copies of the runs, from which the same report can be made; None for none.
    """

    title: str = ""
    videos: str = "all"
    groups: Path | None = None
    model: bool = True
    method: Method = "auto"
    device: str = "auto"
    resamples: int = RESAMPLES
    pack: Path | None = None


def write_report(
    words: Sequence[str | Path],
    out: Path,
    registry: Registry,
    request: ReportRequest | None = None,
    *,
    said: Callable[[str], None] = lambda _: None,
) -> Report:
    """Write a report of finished runs as one HTML file that works offline.

    Args:
        words: run folders, sweeps, benches, folders of run folders, or patterns.
        out: the file; replaced if it exists.
        registry: registry of the components.
        request: what the report shall have.
        said: receives what is being done, one sentence each.

    Raises:
        RunError: no finished run, or a damaged one.
        UsageError: a video or group file that does not fit.
        StorageError: the file cannot be written.
    """
    request = request or ReportRequest()
    found = read_runs(words)
    facts = [_facts(run, registry, request, said) for run in found.runs]
    page, panels = build_page(found, facts, request)
    content = page.encode()
    write_bytes(out, content)
    copies = []
    if request.pack is not None:
        copies = [pack(run, one, request.pack) for run, one in zip(found.runs, facts, strict=True)]
    return Report(
        path=out,
        bytes=len(content),
        runs=tuple(run.name for run in found.runs),
        sections={panel.id: _left_out(panel, found.runs) for panel in panels},
        copies=tuple(copies),
        notes=tuple(found.notes),
    )


def build_page(
    found: ReportRuns, facts: Sequence[Mapping[str, Any]], request: ReportRequest
) -> tuple[str, Sequence[Panel]]:
    """The document and its panels, from runs and the facts of their models."""
    runs = found.runs
    grouped = [groups_of(run, request.groups) for run in runs]
    comparisons = _comparisons(found, grouped, request.resamples)
    panels = (
        overview.panel(found, comparisons),
        comparison.panel(comparisons),
        learning.panel(runs),
        categories.panel(runs, grouped, request.resamples),
        confusion.panel(runs),
        calibration.panel(runs),
        embedding.panel(runs, facts),
        memory.panel(runs, facts),
        videos.panel(runs),
        composition.panel(runs),
    )
    data = videos.video_data(runs, facts, request.videos)
    systems = list(found.systems)
    title = request.title or " · ".join(systems[:3]) + (f" and {len(systems) - 3} more" if len(systems) > 3 else "")
    page = render(title=title, subtitle=_subtitle(found), panels=panels, runs=runs, data=data)
    return page, panels


def _facts(
    run: ReportRun, registry: Registry, request: ReportRequest, said: Callable[[str], None]
) -> Mapping[str, Any]:
    """Facts of a run's model: stored ones, those of its weights, or the reason why there are none."""
    path = run.stored.path
    if (path / FILE).exists():
        return read_json(path, FILE)
    reason = ""
    if not request.model:
        reason = "the models were not read (--no-model)"
    elif not run.first:
        reason = "it is shown for the first run of this system"
    elif not (path / "best.safetensors").exists():
        reason = "the folder has no weights"
    if reason:
        return {"left_out": {"model": reason}}
    said(f"{run.name}: map, memory and X-ray")
    return model_facts(path, registry, method=request.method, device=request.device)


def _comparisons(found: ReportRuns, grouped: Sequence[Mapping[str, np.ndarray]], resamples: int) -> list[Comparison]:
    """A comparison for each set of videos and labels; systems of one set are compared."""
    sets: dict[str, list[str]] = {}
    groups: dict[str, Mapping[str, np.ndarray]] = {}
    for run, inside in zip(found.runs, grouped, strict=True):
        key = data_hash(run.labelled.video_ids, run.labelled.truth) + "\n".join(run.labelled.video_ids)
        names = sets.setdefault(key, [])
        groups.setdefault(key, inside)
        if run.system not in names:
            names.append(run.system)
    return [_compared(found, names, groups[key], resamples) for key, names in sets.items()]


def _compared(found: ReportRuns, names: Sequence[str], groups: Mapping[str, np.ndarray], resamples: int) -> Comparison:
    systems = [_system(name, found.systems[name]) for name in names]
    first = found.systems[names[0]][0].labelled
    compared = compare(systems, first.truth, first.video_ids, groups=groups, resamples=resamples)
    signatures = {row.name: str(_signature(found.systems[row.name], row)) for row in compared.rows}
    return replace(compared, signatures=signatures)


def _system(name: str, runs: Sequence[ReportRun]) -> System:
    return System(
        name=name,
        segments=np.stack([run.found.segments for run in runs]),
        category=np.stack([run.found.category for run in runs]),
        seeds=tuple(run.seed for run in runs),
        paths=tuple(str(run.stored.path) for run in runs),
        leaks_duration=any(bool(run.stored.result.get("leaks_duration")) for run in runs),
    )


def _signature(runs: Sequence[ReportRun], row: Row) -> Signature:
    composition, labelled = runs[0].stored.composition, runs[0].labelled
    return signature_of(
        composition["slots"],
        composition["supervision"],
        "test",
        (labelled.video_ids, labelled.truth),
        interval=row.interval.method,
        seeds=row.runs,
    )


def _subtitle(found: ReportRuns) -> str:
    first = found.runs[0]
    truth = first.labelled.truth
    runs, systems = len(found.runs), len(found.systems)
    counted = f"{runs:,} run{'s' * (runs != 1)} of {systems:,} system{'s' * (systems != 1)}"
    return f"{counted}, {len(truth.events):,} test videos, {truth.n} categories"


def _left_out(panel: Panel, runs: Sequence[ReportRun]) -> str:
    """What a panel lacks; of the first run of each system, as others show their model only there."""
    reasons: dict[str, list[str]] = {block.left_out: [] for block in panel.shared if block.left_out}
    first = [(run.system, blocks) for run, blocks in zip(runs, panel.by_run, strict=False) if run.first]
    for system, blocks in first:
        for reason in dict.fromkeys(block.left_out for block in blocks if block.left_out):
            reasons.setdefault(reason, []).append(system)
    return " ".join(
        f"{reason.removesuffix('.')} ({some(names)})." if 0 < len(names) < len(first) else reason
        for reason, names in reasons.items()
    )
