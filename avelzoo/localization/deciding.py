"""From scores per segment to events: rules with their words, and why there is no event. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np

from avelzoo.errors import OptionError, UsageError
from avelzoo.localization.windows import Layout
from avelzoo.metrics import PredictionArrays
from avelzoo.metrics.thresholds import decided_at
from avelzoo.timeline.records import Event, Localization, SegmentScores

VAL = "val"
"""Name of the threshold that a run's training chose on val."""


@dataclass(frozen=True)
class Rule:
    """How segments are decided.

    Attributes:
        words: the rule and its values, in words.
        decide: predictions by this rule from those of the head; None to keep the head's own ids.
        threshold: relevance above which a segment is an event; None if the rule has none.
    """

    words: str
    decide: Callable[[PredictionArrays], PredictionArrays] | None = None
    threshold: float | None = None


def threshold_rule(threshold: float, words: str) -> Rule:
    """The video's category where the relevance is above ``threshold``, background elsewhere.

    Raises:
        OptionError: the threshold is outside [0, 1].
    """
    if not 0 <= threshold <= 1:
        raise OptionError("the threshold is out of range", found=f"{threshold:g}", expected="in [0, 1]")
    return Rule(words, partial(decided_at, threshold=threshold), threshold)


def parsed_threshold(threshold: float | str | None) -> Rule | None:
    """A threshold that the user named, as a rule; None for none.

    Raises:
        UsageError: it is no number in [0, 1].
    """
    if threshold is None:
        return None
    try:
        value = float(threshold)
    except ValueError:
        raise UsageError("not a threshold", found=str(threshold), expected=f"a number in [0, 1], or {VAL}") from None
    return threshold_rule(value, f"relevance above {value:g} (as requested)")


def decide(scores: SegmentScores, rule: Rule) -> np.ndarray:
    """(t) ids in 0..n by a rule.

    Every window is decided by itself, from the merged scores of its segments, as a video of the training was. A segment
    takes the id of the window in which it is nearest to the centre.
    """
    t = scores.t
    if rule.decide is None and scores.segments is not None:
        return scores.segments
    layout = Layout(scores.window or t, scores.hop or t)
    starts = layout.starts(t)
    places = np.array(starts)[:, None] + np.arange(min(layout.window, t))
    category_scores = scores.category_scores[places].mean(axis=1)
    category = category_scores.argmax(axis=1)
    head = scores.segments
    windows = PredictionArrays(
        segments=np.broadcast_to(category[:, None], places.shape) if head is None else head[places],
        category=category,
        category_scores=category_scores,
        relevance=scores.relevance[places],
        audio_scores=None if scores.audio_scores is None else scores.audio_scores[places],
        visual_scores=None if scores.visual_scores is None else scores.visual_scores[places],
    )
    found = windows if rule.decide is None else rule.decide(windows)
    owners = layout.owners(t)
    ids: np.ndarray = found.segments[owners, np.arange(t) - np.array(starts)[owners]]
    return ids


def events_of(ids: np.ndarray, scores: SegmentScores, *, end: float | None = None) -> tuple[Event, ...]:
    """Maximal runs of one category; the score is the mean relevance.

    Args:
        ids: (t) ids in 0..n.
        scores: scores of the same segments.
        end: end of the video in seconds; events do not go beyond it.
    """
    n, step = len(scores.categories), scores.seconds_per_segment
    bounds = [0, *(np.flatnonzero(ids[1:] != ids[:-1]) + 1).tolist(), len(ids)]
    events = []
    for first, last in pairwise(bounds):
        if ids[first] == n:
            continue
        start, stop = scores.start + first * step, scores.start + last * step
        stop = stop if end is None else min(stop, end)
        if stop > start:
            score = float(scores.relevance[first:last].mean(dtype=np.float64))
            events.append(Event(start=start, end=stop, category=scores.categories[int(ids[first])], score=score))
    return tuple(events)


def why_empty(scores: SegmentScores, rule: Rule) -> str:
    """Why a rule found no event, in one sentence."""
    best = int(scores.relevance.argmax())
    step = scores.seconds_per_segment
    start = scores.start + best * step
    at = f"the highest relevance was {scores.relevance[best]:.2f} at {start:g}-{start + step:g} s"
    if rule.threshold is not None:
        return f"no segment above the threshold {rule.threshold:.2f}; {at}"
    return f"every segment is background by the rule '{rule.words}'; {at}"


def decided(result: Localization, rule: Rule, *, own: bool = False) -> Localization:
    """The result with the events of a rule; a result without events says why.

    Args:
        result: with scores; a file without scores stays as it is.
        rule: the rule.
        own: the rule is the system's own, so that its stored ids are the decision.
    """
    scores = result.scores
    if scores is None:
        return result
    ids = scores.segments if own and scores.segments is not None else decide(scores, rule)
    events = events_of(ids, scores, end=result.duration)
    read = result.reason if result.status != "ok" else ""
    reason = read if events else "; ".join(filter(None, (read, why_empty(scores, rule))))
    return replace(result, events=events, decision=rule.words, reason=reason)
