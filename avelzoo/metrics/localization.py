"""How well events are placed in time, apart from whether their category is right."""

from __future__ import annotations

import numpy as np

from avelzoo.metrics.answers import Answers, Truth
from avelzoo.metrics.arrays import BoolArray, Figures, IntArray, mean


def localization_scores(answers: Answers, truth: Truth) -> Figures:
    """Overlap and boundaries, given the right category.

    Counted are the videos with event segments of their category y^e whose category is right (c = y^e). In each,
    Y = {t: y_t = y^e} is the truth and S = {t: s_t = y^e} the answer.

    - segment_iou: mean of |S & Y| / |S | Y|, which is 0 where S is empty;
    - segment_iou_all_event: mean of |Y| / t on the same videos, what event everywhere would score;
    - start_error_seconds: mean of |min S - min Y| times the length of a segment, where S is not empty;
    - end_error_seconds: the same for max S + 1 and max Y + 1;
    - boundary_error_seconds: the mean of both;
    - videos: how many are counted; missed: in how many of them S is empty.

    Boundary errors alone would reward silence, therefore ``missed`` stands beside them.
    Figures are None without videos.
    """
    event = truth.events[:, None]
    true = truth.segments == event
    # An answered category is never n, so videos without one do not count.
    counted = true.any(axis=1) & (answers.category == truth.events)
    true = true[counted]
    found = (answers.segments == event)[counted]
    hit = found.any(axis=1)

    iou = (found & true).sum(axis=1) / (found | true).sum(axis=1)
    found_start, found_end = _span(found[hit])
    true_start, true_end = _span(true[hit])
    start = np.abs(found_start - true_start) * truth.seconds_per_segment
    end = np.abs(found_end - true_end) * truth.seconds_per_segment
    return {
        "segment_iou": mean(iou),
        "segment_iou_all_event": mean(true),
        "start_error_seconds": mean(start),
        "end_error_seconds": mean(end),
        "boundary_error_seconds": mean((start + end) / 2),
        "videos": int(counted.sum()),
        "missed": int((~hit).sum()),
    }


def _span(mask: BoolArray) -> tuple[IntArray, IntArray]:
    """First true segment and one past the last, (v) each; every row of (v t) holds a true one."""
    length = mask.shape[1]
    return mask.argmax(axis=1), length - mask[:, ::-1].argmax(axis=1)
