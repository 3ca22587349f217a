"""The objectives of CPSP."""

from __future__ import annotations

from torch import Tensor

from avelzoo import MemoryView, Objective, Predictions, Targets
from avelzoo_baselines.cpsp.configs import CpspFullConfig, CpspWeakConfig
from avelzoo_baselines.cpsp.contrast import segment_contrast, video_contrast


class Contrasting(Objective):
    """Another objective's terms, and where the encoder gives propagated features their contrasts (Zhou et al. 2022).

    `video_contrast` under any supervision, `segment_contrast` where segments are labelled and its weight is not 0.

    Args:
        config: weights and options.
        others: the objective without the contrasts.
    """

    def __init__(self, config: CpspFullConfig | CpspWeakConfig, *, others: Objective) -> None:
        super().__init__()
        self.others = others
        self.margin, self.negatives = config.video_margin, config.video_negatives
        self.temperature: float | None = None
        weights = {**others.weights, "video_contrast": config.video_contrast}
        if isinstance(config, CpspFullConfig) and config.segment_contrast > 0:
            self.temperature = config.segment_temperature
            weights["segment_contrast"] = config.segment_contrast
        self.weights = weights

    def forward(self, predictions: Predictions, targets: Targets, view: MemoryView | None) -> dict[str, Tensor]:
        """Term name -> unweighted scalar."""
        found: dict[str, Tensor] = self.others(predictions, targets, view)
        features = predictions.extras.get("propagated")
        if features is not None:
            found["video_contrast"] = video_contrast(
                features, targets.event, targets.has_event, margin=self.margin, negatives=self.negatives
            )
            if self.temperature is not None:
                found["segment_contrast"] = segment_contrast(features, targets.relevance, temperature=self.temperature)
        return found
