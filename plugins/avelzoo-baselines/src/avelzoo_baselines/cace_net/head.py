"""CACE-Net's head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo import Encoded, Head, HeadOutput, MemoryView, Predictions
from avelzoo.nn import decode_branches
from avelzoo_baselines.channels import CONTRAST_KEYS, CONTRAST_QUERIES, JOINT_GATE, STREAM_LOGITS
from avelzoo_baselines.cmbs.heads import ActivationSequences, joint_gate, video_activations

if TYPE_CHECKING:
    from avelzoo_baselines.cace_net.configs import CaceNetHeadConfig


class CaceNetHead(Head):
    """CMBS's double branch with r_t = W_r (F_t + Lambda q_t) + b_r, q_t = ReLU(W_q F_t + b_q).

    So from epoch ``start`` times their number on, and in a model that is only evaluated; before, r_t = W_r F_t + b_r.
    Where q counts, training gives two unit vectors per segment to the contrast of event and background: queries
    q / |q| and keys, the same of F + noise (channels, b t d). The public code draws that noise in evaluation too, where
    it changes nothing that is read.

    Args:
        config: the options.
        n: event categories.
        width: d.
    """

    contrasting: Tensor

    def __init__(self, config: CaceNetHeadConfig, *, n: int, width: int) -> None:
        super().__init__()
        self.top, self.stream_weight = config.top, config.stream_weight
        self.contrast_weight, self.noise, self.start = config.contrast_weight, config.noise, config.start
        self.register_buffer("contrasting", torch.ones((), dtype=torch.bool))
        self.relevance = nn.Linear(width, 1)
        self.event = nn.Linear(width, n)
        self.activations = ActivationSequences(width, n)
        self.contrast = nn.Linear(width, width)

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Contrastive features count from epoch ``start * epochs`` on."""
        self.contrasting.fill_(epoch >= self.start * epochs)

    def forward(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """(b t d) -> relevance_logits (b t), event_logits (b n)."""
        fused = encoded.fused
        streams = video_activations(self.activations(encoded), self.top)
        channels = {JOINT_GATE: joint_gate(encoded), STREAM_LOGITS: streams}
        relevant = fused
        if self.contrasting:
            features = F.relu(self.contrast(fused))
            relevant = fused + self.contrast_weight * features
            channels[CONTRAST_QUERIES] = F.normalize(features, dim=-1)
            if self.training:
                channels[CONTRAST_KEYS] = self._second_view(fused)
        return HeadOutput(
            event_logits=self.event(fused.amax(dim=1)) + self.stream_weight * streams,
            relevance_logits=self.relevance(relevant).squeeze(-1),
            channels=channels,
        )

    def decode(self, output: HeadOutput) -> Predictions:
        """The category's arg-max where the relevance exceeds one half."""
        assert output.event_logits is not None and output.relevance_logits is not None
        relevance = output.relevance_logits.sigmoid()
        return decode_branches(output.event_logits, relevance, relevance > 0.5)

    def _second_view(self, fused: Tensor) -> Tensor:
        noisy = fused + self.noise * torch.randn_like(fused)
        return F.normalize(F.relu(self.contrast(noisy)), dim=-1)
