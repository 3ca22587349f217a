"""Scores of named categories from class probabilities of published networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avelzoo.metrics import PredictionArrays
from avelzoo.names.table import NamedCategory, positions


def category_scores(
    audio: np.ndarray,
    visual: np.ndarray,
    categories: Sequence[NamedCategory],
    audio_classes: Sequence[str],
    visual_classes: Sequence[str],
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of n categories in [0, 1] by modality, float32 (... t n) each.

        a_c = max over the category's classes of sound       (independent probabilities: sigmoid)
        v_c = sum over the category's classes of pictures    (exclusive probabilities: softmax)

    A category without a class in one modality borrows the other modality's score, so that it is decided by the
    modality it has.

    Args:
        audio: (... t classes) probabilities of ``audio_classes``.
        visual: (... t classes) probabilities of ``visual_classes``.
        categories: as `avelzoo.names.resolve` returns them for these classes.
        audio_classes: names of the classes of sound.
        visual_classes: names of the classes of pictures.

    >>> bell = NamedCategory(name="bell", audio=("Bell",), visual=("chime",))
    >>> category_scores(np.array([[0.9]]), np.array([[0.1, 0.2]]), [bell], ["Bell"], ["sky", "chime"])[1].tolist()
    [[0.20000000298023224]]
    """
    columns = []
    for category in categories:
        heard, seen = positions(category.audio, audio_classes), positions(category.visual, visual_classes)
        if not (heard or seen):
            raise ValueError(f"'{category.name}' has no class among these; resolve it for the same classes")
        a = audio[..., heard].max(axis=-1) if heard else visual[..., seen].sum(axis=-1)
        v = visual[..., seen].sum(axis=-1) if seen else a
        columns.append((a, v))
    both = [np.clip(np.stack(part, axis=-1), 0, 1).astype(np.float32) for part in zip(*columns, strict=True)]
    return both[0], both[1]


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
