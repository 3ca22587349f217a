"""The encoder 'my-idea' in one file: `avelzoo --plugin idea.py run ead-b --encoder my-idea`."""

from typing import Annotated

from torch import Tensor, nn

import avelzoo
from avelzoo import Bounds, Encoded, Encoder, FeatureSpec, Help, Widths


@avelzoo.encoder("my-idea")
class MyIdea(Encoder):
    """Both modalities, added."""

    def __init__(self, spec: FeatureSpec, *, width: Annotated[int, Help("channels"), Bounds(min=1)] = 64) -> None:
        super().__init__()
        self.widths = Widths(fused=width, audio=width, visual=width)
        self.audio = nn.Linear(spec.audio_dim, width)
        self.visual = nn.Linear(spec.visual_dim, width)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, all (b t d)."""
        heard, seen = self.audio(audio), self.visual(visual.mean(dim=(2, 3)))
        return Encoded(fused=heard + seen, audio=heard, visual=seen)
