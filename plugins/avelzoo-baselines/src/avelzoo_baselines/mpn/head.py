"""MPN's head."""

from __future__ import annotations

from torch import Tensor, nn

from avelzoo import Encoded
from avelzoo_baselines.channels import CLASSIFICATION_PATH, LOCALIZATION_PATH
from avelzoo_baselines.shared.two_paths import TwoPaths


class Parallel(TwoPaths):
    """l^e = W_e x of the classification subnetwork, l^r_t = w_r f_t of the localization subnetwork.

    Args:
        n: event categories.
        local: channels of f.
        video: channels of x.
        weak: labels are weak.
        background: the video may be background as a whole.
    """

    def __init__(self, *, n: int, local: int, video: int, weak: bool, background: bool) -> None:
        super().__init__(nn.Linear(video, n + background), weak=weak, background=background)
        self.segment = nn.Linear(local, 1)

    def video(self, encoded: Encoded) -> Tensor:
        """x (b 2d)."""
        return encoded[CLASSIFICATION_PATH]

    def relevance(self, encoded: Encoded) -> Tensor:
        """(b t)."""
        logits: Tensor = self.segment(encoded[LOCALIZATION_PATH])
        return logits.squeeze(-1)
