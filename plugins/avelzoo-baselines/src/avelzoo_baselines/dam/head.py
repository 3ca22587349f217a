"""DAM's head."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo import Encoded
from avelzoo_baselines.channels import GLOBAL_AUDIO, GLOBAL_VISUAL
from avelzoo_baselines.shared.two_paths import TwoPaths


class Matching(TwoPaths):
    """p_t = (sigmoid(phi^V . f^A_t) + sigmoid(phi^A . f^V_t)) / 2; the category from [phi^V; phi^A] (Wu et al. 2019).

    ``self`` matching is the paper's ablation phi^A . f^A_t, phi^V . f^V_t. The logit of p_t is what is handed on, so
    that binary cross-entropy on it is the paper's on p_t.

    Args:
        matching: cross or self.
        n: event categories.
        width: d of local and global vectors.
        weak: labels are weak.
        background: the video may be background as a whole.
    """

    def __init__(self, matching: Literal["cross", "self"], *, n: int, width: int, weak: bool, background: bool) -> None:
        classifier = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, n + background))
        super().__init__(classifier, weak=weak, background=background)
        self.cross = matching == "cross"

    def video(self, encoded: Encoded) -> Tensor:
        """[phi^V; phi^A], (b 2d)."""
        return torch.cat([encoded[GLOBAL_VISUAL], encoded[GLOBAL_AUDIO]], dim=-1)

    def relevance(self, encoded: Encoded) -> Tensor:
        """log p_t - log(1 - p_t), (b t)."""
        phi_a, phi_v = encoded[GLOBAL_AUDIO], encoded[GLOBAL_VISUAL]
        asks_audio, asks_visual = (phi_v, phi_a) if self.cross else (phi_a, phi_v)
        heard = torch.einsum("btd,bd->bt", encoded.audio, asks_audio)
        seen = torch.einsum("btd,bd->bt", encoded.visual, asks_visual)
        return mean_logit(heard, seen)


def mean_logit(x: Tensor, y: Tensor) -> Tensor:
    """The logit of (sigmoid(x) + sigmoid(y)) / 2, without overflow for any x and y."""
    event = torch.logaddexp(F.logsigmoid(x), F.logsigmoid(y))
    background = torch.logaddexp(F.logsigmoid(-x), F.logsigmoid(-y))
    return event - background
