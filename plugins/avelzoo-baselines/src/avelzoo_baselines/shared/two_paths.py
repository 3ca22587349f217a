"""A double branch whose category and relevance come from different places of the encoder."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn

from avelzoo import Encoded, Head, HeadOutput, MemoryView, Predictions
from avelzoo.nn import decode_branches
from avelzoo_baselines.shared.gated import decode_video, video_output


class TwoPaths(Head):
    """c = Classifier(x) of a vector x of the video, l^r_t of whatever a subclass takes; an event where sigmoid > 1/2.

    Under weak supervision p = softmax(max_t sigmoid(l^r_t) c) is there as well, the gates of CMRAN's public code, for
    an objective on the video's probabilities. With ``background`` the video has n+1 classes, as in that code.

    Args:
        classifier: (b x) -> (b n), or (b n+1) with ``background``.
        weak: labels are weak.
        background: the last class is background.
    """

    def __init__(self, classifier: nn.Module, *, weak: bool, background: bool) -> None:
        super().__init__()
        self.classifier = classifier
        self.weak, self.background = weak, background

    @abstractmethod
    def video(self, encoded: Encoded) -> Tensor:
        """(b x), features for the category."""

    @abstractmethod
    def relevance(self, encoded: Encoded) -> Tensor:
        """(b t), logits of the segments' relevance."""

    def forward(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """event_logits (b n), relevance_logits (b t); where weak, video_logits, video_probabilities."""
        category, relevance = self.classifier(self.video(encoded)), self.relevance(encoded)
        if self.weak:
            return video_output(category, relevance, gate=relevance.sigmoid(), background=self.background)
        return HeadOutput(event_logits=category, relevance_logits=relevance)

    def decode(self, output: HeadOutput) -> Predictions:
        """The video's category where the relevance exceeds one half."""
        assert output.event_logits is not None and output.relevance_logits is not None
        relevance = output.relevance_logits.sigmoid()
        if self.background:
            return decode_video(output, relevance, relevance > 0.5)
        return decode_branches(output.event_logits, relevance, relevance > 0.5)
