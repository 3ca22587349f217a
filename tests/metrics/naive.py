"""The scores once more, written as loops straight from their definitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from avelzoo.metrics import PredictionArrays, Truth

Rows = Any
"""Ids (v t), as lists or as an array."""


def share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None


def average(numbers: Sequence[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None


def labels(truth: Truth, video: int) -> list[int]:
    """A video's labels, without padding."""
    return [int(y) for y in truth.segments[video]][: int(truth.lengths[video])]


def segment_accuracy(predicted: Rows, truth: Truth, videos: Sequence[int] | None = None) -> float | None:
    chosen = range(len(truth.events)) if videos is None else videos
    return share([predicted[v][t] == y for v in chosen for t, y in enumerate(labels(truth, v))])


def foreground_background(predictions: PredictionArrays, truth: Truth) -> dict[str, float | None]:
    videos = range(len(truth.events))
    pairs = [
        (predictions.segments[v][t] == truth.n, y == truth.n) for v in videos for t, y in enumerate(labels(truth, v))
    ]
    foreground = share([not s for s, y in pairs if not y])
    background = share([s for s, y in pairs if y])
    balanced = None if foreground is None or background is None else (foreground + background) / 2
    return {"balanced_accuracy": balanced, "foreground_recall": foreground, "background_recall": background}


def localization(predictions: PredictionArrays, truth: Truth) -> dict[str, float | None]:
    overlap, everywhere, starts, ends, both = [], [], [], [], []
    missed = several = 0
    for v, event in enumerate(truth.events):
        row = labels(truth, v)
        true = {t for t, y in enumerate(row) if y == event}
        if event == truth.n or not true or predictions.category[v] != event:
            continue
        found = {t for t in range(len(row)) if predictions.segments[v][t] == event}
        overlap.append(len(true & found) / len(true | found))
        everywhere.append(len(true) / len(row))
        events = [segments for category, segments in runs(row, truth.n) if category == event]
        nearest = {s: min(events, key=lambda run, s=s: (min(abs(s - t) for t in run), min(run))) for s in found}
        for run in events:
            several += 1
            own = {s for s in found if nearest[s] == run}
            if own:
                starts.append(abs(min(own) - min(run)) * truth.seconds_per_segment)
                ends.append(abs(max(own) - max(run)) * truth.seconds_per_segment)
                both.append((starts[-1] + ends[-1]) / 2)
            else:
                missed += 1
    return {
        "segment_iou": average(overlap),
        "segment_iou_all_event": average(everywhere),
        "start_error_seconds": average(starts),
        "end_error_seconds": average(ends),
        "boundary_error_seconds": average(both),
        "videos": len(overlap),
        "runs": several,
        "missed": missed,
    }


def runs(row: Sequence[int], background: int) -> list[tuple[int, frozenset[int]]]:
    """(category, segments) of every event of a video."""
    found: list[tuple[int, frozenset[int]]] = []
    start = 0
    for t in range(1, len(row) + 1):
        if t == len(row) or row[t] != row[start]:
            if row[start] != background:
                found.append((int(row[start]), frozenset(range(start, t))))
            start = t
    return found


def most_matches(edges: dict[int, list[int]]) -> int:
    """Size of a largest one-to-one matching, by augmenting paths."""
    partner: dict[int, int] = {}

    def augment(left: int, seen: set[int]) -> bool:
        for right in edges[left]:
            if right not in seen:
                seen.add(right)
                if right not in partner or augment(partner[right], seen):
                    partner[right] = left
                    return True
        return False

    return sum(augment(left, set()) for left in edges)


def event_scores(segments: Rows, truth: Truth) -> dict[str, float | None]:
    predicted_events = true_events = matched = 0
    for v, predicted_row in enumerate(segments):
        row = labels(truth, v)
        predicted, true = runs(predicted_row[: len(row)], truth.n), runs(row, truth.n)
        edges = {
            i: [j for j, (d, q) in enumerate(predicted) if c == d and len(p & q) / len(p | q) >= 0.5]
            for i, (c, p) in enumerate(true)
        }
        matched += most_matches(edges)
        predicted_events += len(predicted)
        true_events += len(true)
    events = predicted_events + true_events
    return {
        "f1": 2 * matched / events if events else None,
        "precision": matched / predicted_events if predicted_events else None,
        "recall": matched / true_events if true_events else None,
        "predicted_events": predicted_events,
        "true_events": true_events,
        "matched_events": matched,
    }


def calibration_error(relevance: Any, event: Any, bins: int) -> float:
    total = 0.0
    for k in range(bins):
        inside = [i for i, r in enumerate(relevance) if k <= float(r) * bins < k + 1 or (k == bins - 1 and r == 1)]
        if inside:
            shares = sum(event[i] for i in inside) / len(inside)
            total += len(inside) / len(relevance) * abs(shares - sum(float(relevance[i]) for i in inside) / len(inside))
    return total
