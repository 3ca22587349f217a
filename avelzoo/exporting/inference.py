"""A model without training: from features to final predictions, as a graph that can be exported."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from avelzoo.composition.model import Model
from avelzoo.records import Encoded, HeadOutput, MemoryView, Predictions

OUTPUTS = ("segments", "category", "category_scores", "relevance")
"""Outputs of the graph, in this order: the fields of `Predictions`."""


class Inference(nn.Module):
    """Encoder, the memory's content, head and decoding of a model in evaluation mode.

    The memory is read once; its content is constant. Switches that training keeps in a buffer, such as CACE-Net's
    contrast, become constants too, so that the graph has no branches.

    Args:
        model: model on the CPU, in evaluation mode; it is not changed.

    Attributes:
        encoder: copy of the encoder.
        head: copy of the head.
    """

    items: Tensor
    filled: Tensor

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.encoder, self.head = deepcopy(model.encoder), deepcopy(model.head)
        with torch.no_grad():
            view = model.view()
        self.has_memory = view is not None
        if view is not None:
            self.register_buffer("items", view.items.detach().clone())
            self.register_buffer("filled", view.filled.detach().clone())
        _freeze_switches(self)
        self.eval()

    def forward(self, audio: Tensor, visual: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(b t a), (b t h w v) -> ``OUTPUTS``: (b t) int64, (b) int64, (b n), (b t)."""
        encoded: Encoded = self.encoder(audio, visual)
        view = MemoryView(items=self.items, filled=self.filled) if self.has_memory else None
        output: HeadOutput = self.head(encoded, view)
        found: Predictions = self.head.decode(output.joined(encoded.given()))
        return found.segments, found.category, found.category_scores, found.relevance


def _freeze_switches(module: nn.Module) -> None:
    """Replace scalar bool buffers by Python values."""
    for part in module.modules():
        for name, value in list(part.named_buffers(recurse=False)):
            if value.dtype is torch.bool and value.dim() == 0:
                delattr(part, name)
                setattr(part, name, bool(value))
