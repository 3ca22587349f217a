"""Splits to score: drawn at random, or written by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from avelzoo.metrics import PredictionArrays, Truth

Case = tuple[PredictionArrays, Truth]


def predictions(
    segments: list[list[int]], category: list[int], *, n: int, relevance: list[list[float]] | None = None
) -> PredictionArrays:
    """PredictionArrays whose category scores are one-hot; the relevance is 1 in event segments unless it is given."""
    ids = np.array(segments)
    score = (ids != n).astype(np.float32) if relevance is None else np.array(relevance, dtype=np.float32)
    return PredictionArrays(
        segments=ids,
        category=np.array(category),
        category_scores=np.eye(n, dtype=np.float32)[category],
        relevance=score,
    )


def truth(segments: list[list[int]], events: list[int], *, n: int, seconds: float = 1.0) -> Truth:
    names = tuple(f"event {c}" for c in range(n))
    return Truth(segments=np.array(segments), events=np.array(events), categories=names, seconds_per_segment=seconds)


def random_case(seed: int, *, videos: int, length: int, n: int) -> Case:
    """Truths with one run, several runs of several categories, none at all; answers that are sometimes right."""
    rng = np.random.default_rng(seed)
    events = rng.integers(0, n + 1, size=videos)
    segments = np.full((videos, length), n)
    for video in range(videos):
        start, end = np.sort(rng.integers(0, length + 1, size=2))
        segments[video, start:end] = events[video]
    messy = rng.random(videos) < 0.2
    segments[messy] = rng.integers(0, n + 1, size=segments[messy].shape)
    category = np.where((rng.random(videos) < 0.6) & (events < n), events, rng.integers(0, n, size=videos))
    category = np.minimum(category, n - 1)
    own = np.where(rng.random(segments.shape) < 0.6, category[:, None], n)
    predicted = np.where(rng.random(segments.shape) < rng.random((videos, 1)), segments, own)
    predicted = np.where(rng.random(segments.shape) < 0.1, rng.integers(0, n + 1, size=segments.shape), predicted)
    scores = rng.random((videos, n), dtype=np.float32)
    scores[np.arange(videos), category] += 1
    given = PredictionArrays(
        segments=predicted,
        category=category,
        category_scores=scores,
        relevance=rng.choice([0.0, 1.0, *rng.random(8)], size=segments.shape),
    )
    names = tuple(f"event {c}" for c in range(n))
    lengths = np.full(videos, length)
    if rng.random() < 0.6:  # answers in the padding are left as they are: nobody may look at them
        lengths = rng.integers(1, length + 1, size=videos)
        segments[np.arange(length) >= lengths[:, None]] = n
    return given, Truth(segments=segments, events=events, categories=names, seconds_per_segment=0.5, lengths=lengths)


def cases() -> st.SearchStrategy[Case]:
    """Splits of 1 to 12 videos, equally long or not, 1 to 10 segments and 1 to 5 categories."""
    return st.builds(
        random_case,
        st.integers(0, 2**32 - 1),
        videos=st.integers(1, 12),
        length=st.integers(1, 10),
        n=st.integers(1, 5),
    )
