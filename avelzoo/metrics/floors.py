"""Segment accuracies that need no localization, as baselines for segment accuracy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from avelzoo.metrics.accuracy import segment_accuracy
from avelzoo.metrics.arrays import ids
from avelzoo.metrics.predictions import PredictionArrays, Truth
from avelzoo.metrics.scores import Floors


def floor_accuracies(predictions: PredictionArrays, truth: Truth) -> Floors:
    """Segment accuracy of three predictors that give every segment of a video the same id.

    background: s_vt = n. category_oracle_all_event: s_vt = y^e_v, which is background in videos without a category.
    own_category_all_event: s_vt = c_v, the predicted category; segment accuracy minus this floor is the gain from
    localization.

    On the test split of the AVE annotations, the first is 0.178 and the second 0.822.
    """
    background = np.full((1, 1), truth.background, dtype=np.int64)
    return Floors(
        background=segment_accuracy(background, truth),
        category_oracle_all_event=segment_accuracy(truth.events[:, None], truth),
        own_category_all_event=segment_accuracy(predictions.category[:, None], truth),
    )


def reference_accuracies(references: Mapping[str, ArrayLike], truth: Truth) -> dict[str, float]:
    """Segment accuracy of a data set's reference predictors, by name.

    Args:
        references: name -> (v t) ids in 0..n.
        truth: ground truth.

    Raises:
        DataError: a reference of another type, shape or range.
    """
    fix = "check what the data set's references() returns for this split"
    return {
        name: segment_accuracy(
            ids(value, where=f"references[{name!r}]", shape=truth.segments.shape, below=truth.n + 1, fix=fix), truth
        )
        for name, value in references.items()
    }
