"""Labels that compete for shared evidence while each modality guides the other, in the style of SCoPE (2026)."""

from __future__ import annotations

import numpy as np

from avelzoo.builtin.decoders.unimodal import mean_over_real, redecided, scores_of
from avelzoo.builtin.decoders.values import Values
from avelzoo.contracts import Decoder
from avelzoo.metrics import PredictionArrays, Truth, best_threshold, decided_at, segment_accuracy

STRENGTHS = (0.0, 0.5, 1.0)
"""Strengths of the guidance that are tried on val."""


class Competition(Decoder):
    """Within a segment, categories and a share for "none" divide the evidence of each modality.

        p^m_tc = e^m_tc g_c / (rho + sum_c' e^m_tc' g_c')          share of category c; the rest goes to "none"
        g_c = (1 - lambda) + lambda n m_c / sum_c' m_c'            guidance: m is the other modality's mean share

    The shares are computed without guidance, then ``rounds`` times with the guidance of the other modality's last
    shares. r_tc = sqrt(p^a_tc p^v_tc); the category is the best mean over the video, and an event is where its r is
    above a threshold. The idea is SCoPE's, whose code is not published: every formula here is ours. lambda and the
    threshold come from val.

    Args:
        guidance: lambda, until val chooses another one.
        threshold: of r, until val chooses another one.
        none: rho, the evidence of "none".
        rounds: number of guided rounds.
        weighted: multiply scores by the head's relevance.
    """

    def __init__(self, *, guidance: float, threshold: float, none: float, rounds: int, weighted: bool = False) -> None:
        super().__init__()
        self.values = Values({"guidance": guidance, "threshold": threshold})
        self.none, self.rounds, self.weighted = none, rounds, weighted

    def fit(self, val: PredictionArrays, truth: Truth) -> None:
        """The strength and the threshold with the highest segment accuracy on val; of equal ones, the weakest."""
        best = -1.0
        for guidance in STRENGTHS:
            found = self._scored(val, guidance)
            threshold = best_threshold(found, truth)
            accuracy = segment_accuracy(decided_at(found, threshold).segments, truth)
            if accuracy > best:
                best = accuracy
                self.values.set(guidance=guidance, threshold=threshold)

    def decide(self, predictions: PredictionArrays) -> PredictionArrays:
        """Events where the shares of both modalities hold one category."""
        return decided_at(self._scored(predictions, self.values["guidance"]), self.values["threshold"])

    def describe(self) -> str:
        """The values."""
        guidance, threshold = self.values["guidance"], self.values["threshold"]
        return f"guidance {guidance:.2g}, shared evidence above {threshold:.2f} ({self.values.origin})"

    def _scored(self, predictions: PredictionArrays, guidance: float) -> PredictionArrays:
        """The predictions with this rule's scores, all background."""
        evidence = scores_of(predictions, self.weighted)
        shares = [self._shares(one, np.ones((len(one), one.shape[2]))) for one in evidence]
        for _ in range(self.rounds if guidance > 0 else 0):
            guides = [self._guide(mean_over_real(shares[other], predictions), guidance) for other in (1, 0)]
            shares = [self._shares(one, guide) for one, guide in zip(evidence, guides, strict=True)]
        joint = np.sqrt(shares[0] * shares[1])
        ranked = mean_over_real(joint, predictions)
        relevance = np.take_along_axis(joint, ranked.argmax(axis=1)[:, None, None], axis=2)[..., 0]
        background = np.full(predictions.segments.shape, predictions.n)
        return redecided(predictions, segments=background, ranked=ranked, relevance=relevance)

    def _shares(self, evidence: np.ndarray, guide: np.ndarray) -> np.ndarray:
        weighted = evidence * guide[:, None]
        shares: np.ndarray = weighted / (self.none + weighted.sum(axis=2, keepdims=True))
        return shares

    @staticmethod
    def _guide(mean: np.ndarray, strength: float) -> np.ndarray:
        """(v n) with mean 1."""
        total = mean.sum(axis=1, keepdims=True)
        even = np.full_like(mean, 1 / mean.shape[1])
        parts = np.divide(mean, total, out=even, where=total > 0)
        guide: np.ndarray = (1 - strength) + strength * mean.shape[1] * parts
        return guide
