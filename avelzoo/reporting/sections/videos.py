"""Timelines of test videos: the data from which the page's script draws truth, prediction, relevance and X-ray."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from avelzoo.reporting.blocks import Block, Panel
from avelzoo.reporting.runs import ReportRun, chosen_videos
from avelzoo.reporting.sections.embedding import Facts


def panel(runs: Sequence[ReportRun]) -> Panel:
    """The panel of all runs; the script fills it."""
    words = (
        "Truth and prediction of test videos. A segment is wrong if its predicted category, or background, differs from"
        " the truth."
    )
    block = Block(heading="Timelines", text=[words], part="videos")
    return Panel(id="videos", title="Videos", shared=[block] if runs else [])


def video_data(runs: Sequence[ReportRun], facts: Sequence[Facts], wanted: str | None) -> dict[str, Any]:
    """The videos and predictions of all runs as plain data; arrays of small numbers as Base64 text.

    Args:
        runs: the runs.
        facts: facts of their models.
        wanted: videos to include, as `chosen_videos` reads them.

    Raises:
        UsageError: a wanted video does not exist.
    """
    sets: list[dict[str, Any]] = []
    places: dict[bytes, int] = {}
    found = []
    for run, one in zip(runs, facts, strict=True):
        ids, truth = run.labelled.video_ids, run.labelled.truth
        key = truth.segments.tobytes() + "\n".join([*ids, *truth.categories]).encode()
        chosen = np.array(chosen_videos(wanted, ids))
        if key not in places:
            places[key] = len(sets)
            sets.append(_set(run, chosen))
        found.append({"name": run.name, "set": places[key]} | _predicted(run, one, chosen))
    return {"sets": sets, "runs": found}


def _set(run: ReportRun, chosen: np.ndarray) -> dict[str, Any]:
    truth = run.labelled.truth
    return {
        "categories": list(truth.categories),
        "seconds": truth.seconds_per_segment,
        "of": len(truth.events),
        "t": int(truth.segments.shape[1]),
        "ids": [str(run.labelled.video_ids[i]) for i in chosen],
        "lengths": _ints(truth.lengths[chosen]),
        "events": _ints(truth.events[chosen]),
        "truth": _ints(truth.segments[chosen]),
    }


def _predicted(run: ReportRun, facts: Facts, chosen: np.ndarray) -> dict[str, Any]:
    found = run.found
    data: dict[str, Any] = {
        "category": _ints(found.category[chosen]),
        "segments": _ints(found.segments[chosen]),
        "relevance": _shares(found.relevance[chosen]),
    }
    if found.audio_scores is not None and found.visual_scores is not None:
        index = found.category[chosen][:, None, None]
        for name, scores in (("audio", found.audio_scores), ("visual", found.visual_scores)):
            data[name] = _shares(np.take_along_axis(scores[chosen], index, axis=2)[:, :, 0])
    if xray := _xray(facts, found.segments.shape):
        data["xray"] = {name: _ints(array[chosen] + 128) for name, array in xray.items()}
    return data


def _xray(facts: Facts, shape: tuple[int, ...]) -> Mapping[str, np.ndarray]:
    stored = facts.get("xray")
    if not stored:
        return {}
    arrays = {name: np.clip(np.array(stored[name], dtype=np.int64), -128, 127) for name in ("audio", "visual")}
    return arrays if all(array.shape == shape for array in arrays.values()) else {}


def _shares(values: np.ndarray) -> str:
    """Numbers in [0, 1] in 255 steps."""
    return _ints(np.rint(255 * values.astype(np.float64)))


def _ints(values: np.ndarray) -> str:
    """Whole numbers in 0..65535 as Base64: ``1:`` and a byte each, or ``2:`` and two, the low one first."""
    small = values.size == 0 or values.max() < 256
    kind = np.dtype(np.uint8) if small else np.dtype("<u2")
    return ("1:" if small else "2:") + base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()
