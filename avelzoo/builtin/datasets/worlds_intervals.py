"""Runs: how long events are, where they start, and sums over all of them at once.

A run [s, e) of t segments is a place (s, e) of a (t+1 t+1) matrix with s < e; the empty run sits at (0, 0). Every other
place of such a matrix is no run and has probability 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

AVE_COUNTS = (1, 0, 214, 220, 217, 196, 200, 139, 111, 95, 2750)
"""Annotated videos of AVE by length of their event, 0 to 10 seconds: 4,142 events and one video without."""


def length_law(name: str, segments: int) -> FloatArray:
    """Probability of every run length 0..t.

    ``ave`` is AVE's distribution. For t other than 10, no event and an event throughout keep their shares p_0 and
    p_10, and the partial lengths 1..9 are spread anew: with F the piecewise linear function through
    F(k/9) = (p_1 + ... + p_k), length l < t gets F(l/(t-1)) - F((l-1)/(t-1)). With t = 1 nothing is partial and that
    share goes to the full length. ``uniform`` makes 1..t equally likely, ``partial`` 1..t-1 (1 where t = 1).

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
    """Probability of every run: p(s, e) = p(e - s) / (t - (e - s) + 1), all starts that fit equally likely.

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
    """(t) bool: one run drawn from `run_law`. Takes two numbers from ``rng``, whatever comes out."""
    segments = len(lengths) - 1
    which, where = rng.random(2)
    length = min(int(np.searchsorted(np.cumsum(lengths), which, side="right")), segments)
    start = int(where * (segments - length + 1))
    time = np.arange(segments)
    return (time >= start) & (time < start + length)


def run_sums(values: FloatArray) -> FloatArray:
    """Sum of ``values`` over every run: (... t) -> (... t+1 t+1), at (s, e) the sum over s <= i < e."""
    total = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)
    sums: FloatArray = total[..., None, :] - total[..., :, None]
    return sums


def segment_marginals(runs: FloatArray) -> FloatArray:
    """Probability that a segment lies inside, from one of every run: (... t+1 t+1) -> (... t)."""
    begins, ends = runs.sum(axis=-1), runs.sum(axis=-2)
    return np.cumsum(begins - ends, axis=-1)[..., :-1]


def best_run(inside: FloatArray) -> NDArray[np.bool_]:
    """The run with the most segments right on average: arg-max over runs of the sum of 2 p_i - 1 inside it.

    Args:
        inside: (... t), the probability p_i that segment i lies inside the true run.

    Returns:
        (... t) bool; the empty run where no segment is likelier inside than not.
    """
    segments = inside.shape[-1]
    gains = run_sums(2 * inside - 1)
    gains = np.where(np.triu(np.ones(gains.shape[-2:], dtype=bool)), gains, -np.inf)
    place = gains.reshape(*inside.shape[:-1], -1).argmax(axis=-1)
    start, end = np.divmod(place, segments + 1)
    time = np.arange(segments)
    chosen: NDArray[np.bool_] = (time >= start[..., None]) & (time < end[..., None])
    return chosen
