"""Scores of named categories from class probabilities of published networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avelzoo.metrics import PredictionArrays
from avelzoo.names.table import NamedCategory, positions

HEARD, SEEN = 0.2, 0.05
"""Probabilities of a class of sound and of a picture that get the score 0.5; ours."""
AGREEMENT = {"audio": 0.5, "visual": 0.5, "category": "segment"}
"""Options of the decoder `agreement` for scores of videos without labels."""


def category_scores(
    audio: np.ndarray,
    visual: np.ndarray,
    categories: Sequence[NamedCategory],
    audio_classes: Sequence[str],
    visual_classes: Sequence[str],
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of n categories in [0, 1] by modality, float32 (... t n) each.

        a_c = p / (p + 0.2)     p: largest probability of the category's classes of sound
        v_c = q / (q + 0.05)    q: largest probability of its classes of pictures

    So 0.5 says "probably there" in both modalities, although a picture's probability is divided among 1000 classes.

    A category without a class in one modality borrows the other modality's score, so that it is decided by the
    modality it has.

    Args:
        audio: (... t classes) probabilities of ``audio_classes``.
        visual: (... t classes) probabilities of ``visual_classes``.
        categories: as `avelzoo.names.resolve` returns them for these classes.
        audio_classes: names of the classes of sound.
        visual_classes: names of the classes of pictures.

    Raises:
        ValueError: a category has no class among these.

    >>> bell = NamedCategory(name="bell", audio=("Bell",), visual=("chime",))
    >>> category_scores(np.array([[0.9]]), np.array([[0.1, 0.2]]), [bell], ["Bell"], ["sky", "chime"])[1].tolist()
    [[0.800000011920929]]
    """
    columns = []
    for category in categories:
        heard, seen = positions(category.audio, audio_classes), positions(category.visual, visual_classes)
        if not (heard or seen):
            raise ValueError(f"'{category.name}' has no class among these; resolve it for the same classes")
        a = _odds(audio[..., heard].max(axis=-1), HEARD) if heard else None
        v = _odds(visual[..., seen].max(axis=-1), SEEN) if seen else None
        columns.append((v if a is None else a, a if v is None else v))
    both = [np.clip(np.stack(part, axis=-1), 0, 1).astype(np.float32) for part in zip(*columns, strict=True)]
    return both[0], both[1]


def _odds(probability: np.ndarray, even: float) -> np.ndarray:
    """p / (p + even)."""
    scores: np.ndarray = probability / (probability + even)
    return scores


def predictions(audio_scores: np.ndarray, visual_scores: np.ndarray) -> PredictionArrays:
    """What the scores of both modalities say of v videos before a decoder decides: (v t n) each.

        f_tc = sqrt(a_tc v_tc),    category c* = argmax_c mean_t f_tc,    r_t = f_tc*

    An event where r_t > 0.5.
    """
    fused = np.sqrt(audio_scores * visual_scores)
    ranked = fused.mean(axis=1)
    category = ranked.argmax(axis=1)
    relevance = np.take_along_axis(fused, category[:, None, None], axis=2)[..., 0]
    return PredictionArrays(
        segments=np.where(relevance > 0.5, category[:, None], ranked.shape[1]),
        category=category,
        category_scores=ranked,
        relevance=relevance,
        audio_scores=audio_scores,
        visual_scores=visual_scores,
    )
