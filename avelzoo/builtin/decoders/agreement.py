"""The agreement rule of open-vocabulary localizers: an event where sound and sight name the same category."""

from __future__ import annotations

from itertools import product
from typing import Literal

import numpy as np

from avelzoo.builtin.decoders.tuning import levels
from avelzoo.builtin.decoders.unimodal import mean_over_real, redecided, scores_of
from avelzoo.builtin.decoders.values import Values
from avelzoo.contracts import Decoder
from avelzoo.data.checking.findings import warn
from avelzoo.metrics import PredictionArrays, Truth, segment_accuracy

GRID = 16
"""Quantiles of each modality's best scores that are tried on val."""


class Agreement(Decoder):
    """Per segment, each modality drops categories below its threshold and names the best of the rest.

        k^m_t = argmax_{c: s^m_tc >= tau^m} s^m_tc,  m = audio, visual
        an event where both exist and k^a_t = k^v_t

    The video's category is the one that most segments agree on; ties go to the higher mean of sqrt(s^a s^v), which
    also ranks the categories of a video without agreement. Relevance is max_c min(s^a_tc, s^v_tc).

    Args:
        audio: tau^a, until val chooses another one.
        visual: tau^v, until val chooses another one.
        category: agreeing segments have the category of the video, or the one they agree on.
        weighted: multiply scores by the head's relevance.
    """

    def __init__(
        self, *, audio: float, visual: float, category: Literal["video", "segment"], weighted: bool = False
    ) -> None:
        super().__init__()
        self.values = Values({"audio": audio, "visual": visual})
        self.of_video, self.weighted = category == "video", weighted

    def fit(self, val: PredictionArrays, truth: Truth) -> None:
        """The pair of thresholds with the highest segment accuracy on val; of equal ones, the lowest."""
        tried = [levels(scores.max(axis=2)[val.real], GRID) for scores in scores_of(val, self.weighted)]
        pairs = list(product(*tried))
        found = [segment_accuracy(self._decided(val, *pair).segments, truth) for pair in pairs]
        audio, visual = pairs[int(np.argmax(found))]
        self.values.set(audio=audio, visual=visual)
        if audio == visual == 0:
            warn(
                f"both thresholds of the agreement rule are 0, chosen on {len(truth.events)} val videos: every segment"
                " where sound and sight name the same category is an event; use more val videos, or another decoder"
            )

    def decide(self, predictions: PredictionArrays) -> PredictionArrays:
        """Events where both modalities agree."""
        return self._decided(predictions, self.values["audio"], self.values["visual"])

    def describe(self) -> str:
        """The thresholds."""
        heard, seen = self.values["audio"], self.values["visual"]
        return f"sound from {heard:.2g} and sight from {seen:.2g} name one category ({self.values.origin})"

    def _decided(self, predictions: PredictionArrays, tau_audio: float, tau_visual: float) -> PredictionArrays:
        audio, visual = scores_of(predictions, self.weighted)
        heard, seen = audio.argmax(axis=2), visual.argmax(axis=2)
        loud = audio.max(axis=2) >= np.float32(tau_audio)
        clear = visual.max(axis=2) >= np.float32(tau_visual)
        agree = (heard == seen) & loud & clear & predictions.real
        votes = (np.eye(predictions.n)[heard] * agree[..., None]).sum(axis=1)
        ranked = votes + 0.999 * mean_over_real(np.sqrt(audio * visual), predictions)
        named = ranked.argmax(axis=1)[:, None] if self.of_video else heard
        segments = np.where(agree, named, predictions.n)
        return redecided(predictions, segments=segments, ranked=ranked, relevance=np.minimum(audio, visual).max(axis=2))
