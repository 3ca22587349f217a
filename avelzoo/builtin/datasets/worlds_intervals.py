"""Runs: distributions of their lengths and starts, and sums over all runs at once.

A run [s, e) of t segments is the entry (s, e) of a (t+1 t+1) matrix with s < e; the empty run is the entry (0, 0). All
other entries are not runs and have probability 0.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

AVE_COUNTS = (1, 0, 214, 220, 217, 196, 200, 139, 111, 95, 2750)
"""Annotated videos of AVE by event length, 0 to 10 seconds: 4,142 events and one video without an event."""


def length_law(name: str, segments: int) -> FloatArray:
    """Probability of every run length 0..t.

    ``ave`` is AVE's distribution. For t other than 10, lengths 0 and t keep the shares p_0 and p_10, and the partial
    lengths 1..9 are rescaled to 1..t-1: with F the piecewise linear function through F(k/9) = (p_1 + ... + p_k), length
    l < t has probability F(l/(t-1)) - F((l-1)/(t-1)). For t = 1 there are no partial lengths, and their share goes to
    the full length. ``uniform`` makes 1..t equally likely, ``partial`` 1..t-1 (1 for t = 1).

    Args:
        name: ``ave``, ``uniform`` or ``partial``.
        segments: t.

    Returns:
        (t+1).
    """
    law = np.zeros(segments + 1)
    if name == "uniform":
        law[1:] = 1 / segments
    elif name == "partial":
        law[1 : max(segments, 2)] = 1 / max(segments - 1, 1)
    else:
        counts = np.array(AVE_COUNTS, dtype=np.float64)
        knots = np.concatenate([[0.0], np.cumsum(counts[1:-1])])
        law[0], law[-1] = counts[0], counts[-1]
        if segments == 1:
            law[-1] += knots[-1]
        else:
            spread = np.interp(np.arange(segments) / (segments - 1), np.linspace(0, 1, len(knots)), knots)
            law[1:-1] = np.diff(spread)
        law /= law.sum()
    return law


def run_law(lengths: FloatArray) -> FloatArray:
    """Probability of every run: p(s, e) = p(e - s) / (t - (e - s) + 1); all possible starts are equally likely.

    Args:
        lengths: (t+1), from `length_law`.

    Returns:
        (t+1 t+1), summing to 1.
    """
    ends = np.arange(len(lengths))
    length = ends[None, :] - ends[:, None]
    law = np.where(length > 0, lengths[length.clip(0)] / (len(lengths) - length.clip(0)), 0.0)
    law[0, 0] = lengths[0]
    return law


def draw_run(rng: np.random.Generator, lengths: FloatArray) -> NDArray[np.bool_]:
    """Draw one run from `run_law`, (t) bool; always takes two numbers from ``rng``."""
    segments = len(lengths) - 1
    which, where = rng.random(2)
    length = min(int(np.searchsorted(np.cumsum(lengths), which, side="right")), segments)
    start = int(where * (segments - length + 1))
    time = np.arange(segments)
    return (time >= start) & (time < start + length)


def several(segments: int) -> tuple[int, ...]:
    """How many runs an event in several may have: 2 and 3, where they fit with a gap between each two."""
    return tuple(runs for runs in (2, 3) if 2 * runs - 1 <= segments)


def draw_several(rng: np.random.Generator, segments: int) -> NDArray[np.bool_]:
    """(t) bool: 2 or 3 runs, equally likely; every set of so many runs with a gap between each two is as likely."""
    counts = several(segments)
    runs = counts[int(rng.random() * len(counts))]
    edges = np.sort(rng.permutation(segments + 1)[: 2 * runs])
    inside: NDArray[np.bool_] = np.searchsorted(edges, np.arange(segments), side="right") % 2 == 1
    return inside


def several_sums(gains: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What `draw_several` makes of a sum of gains: log E[exp sum_i y_i g_i], and the same with y_t = 1.

    By a forward and a backward pass over t: with m runs, state s = 0..2m says how many edges a segment is behind, and
    is inside a run where it is odd.

    Args:
        gains: (... t).

    Returns:
        (...) and (... t); minus infinity where no several runs fit.
    """
    segments = gains.shape[-1]
    total = np.full(gains.shape[:-1], -np.inf)
    inside = np.full(gains.shape, -np.inf)
    counts = several(segments)
    for runs in counts:
        states = np.arange(2 * runs + 1)
        law = -math.log(math.comb(segments + 1, 2 * runs) * len(counts))
        scores = np.where(states % 2 == 1, gains[..., None], 0.0)  # (... t s)
        forward, backward = np.full_like(scores, -np.inf), np.full_like(scores, -np.inf)
        forward[..., 0, :2] = scores[..., 0, :2]
        backward[..., -1, -2:] = 0.0
        for t in range(1, segments):
            forward[..., t, :] = forward[..., t - 1, :]
            forward[..., t, 1:] = np.logaddexp(forward[..., t, 1:], forward[..., t - 1, :-1])
            forward[..., t, :] += scores[..., t, :]
            after = backward[..., segments - t, :] + scores[..., segments - t, :]
            backward[..., segments - t - 1, :] = after
            backward[..., segments - t - 1, :-1] = np.logaddexp(after[..., :-1], after[..., 1:])
        total = np.logaddexp(total, law + np.logaddexp(forward[..., -1, -1], forward[..., -1, -2]))
        joint = np.logaddexp.reduce((forward + backward)[..., 1::2], axis=-1)
        inside = np.logaddexp(inside, law + joint)
    return total, inside


def run_sums(values: FloatArray) -> FloatArray:
    """Sum of ``values`` over every run: (... t) -> (... t+1 t+1), at (s, e) the sum over s <= i < e."""
    total = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)
    sums: FloatArray = total[..., None, :] - total[..., :, None]
    return sums


def segment_marginals(runs: FloatArray) -> FloatArray:
    """Probability of each segment to be inside the run, from run probabilities: (... t+1 t+1) -> (... t)."""
    begins, ends = runs.sum(axis=-1), runs.sum(axis=-2)
    return np.cumsum(begins - ends, axis=-1)[..., :-1]


def best_run(inside: FloatArray) -> NDArray[np.bool_]:
    """Find the run with the highest expected number of correct segments: arg-max of the sum of 2 p_i - 1 inside it.

    Args:
        inside: (... t), probability p_i that segment i is inside the true run.

    Returns:
        (... t) bool; the empty run if no p_i exceeds 1/2.
    """
    segments = inside.shape[-1]
    gains = run_sums(2 * inside - 1)
    gains = np.where(np.triu(np.ones(gains.shape[-2:], dtype=bool)), gains, -np.inf)
    best = gains.reshape(*inside.shape[:-1], -1).argmax(axis=-1)
    start, end = np.divmod(best, segments + 1)
    time = np.arange(segments)
    chosen: NDArray[np.bool_] = (time >= start[..., None]) & (time < end[..., None])
    return chosen
