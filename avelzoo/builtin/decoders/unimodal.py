"""Scores of both modalities, as decoders need them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avelzoo.errors import PluginError
from avelzoo.metrics import PredictionArrays


def scores_of(predictions: PredictionArrays, weighted: bool) -> tuple[np.ndarray, np.ndarray]:
    """Scores (v t n) from sound and from sight; zeros in padding.

    Args:
        predictions: with scores of both modalities.
        weighted: multiply them by the head's relevance.

    Raises:
        PluginError: there are none.
    """
    audio, visual = predictions.audio_scores, predictions.visual_scores
    if audio is None or visual is None:
        raise PluginError(
            "the model gives no scores of the categories from each modality",
            expected="audio_logits and visual_logits, or audio_scores and visual_scores, in evaluation",
            fix="implement `Memory.infer` where `Memory.observe` gives them, or give them from the encoder",
        )
    weight = (predictions.relevance * predictions.real if weighted else predictions.real)[..., None]
    return audio * weight, visual * weight


def redecided(
    predictions: PredictionArrays, *, segments: np.ndarray, ranked: np.ndarray, relevance: np.ndarray
) -> PredictionArrays:
    """The predictions with other segments, scores of the categories (v n) and relevance (v t) in [0, 1]."""
    return replace(
        predictions,
        segments=np.where(predictions.real, segments, predictions.n),
        category=ranked.argmax(axis=1),
        category_scores=ranked.astype(np.float32),
        relevance=np.clip(relevance, 0, 1).astype(np.float32),
    )


def mean_over_real(values: np.ndarray, predictions: PredictionArrays) -> np.ndarray:
    """Mean (v n) of (v t n) over real segments; values of padding must be 0."""
    means: np.ndarray = values.sum(axis=1) / predictions.lengths[:, None]
    return means
