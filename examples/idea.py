"""The encoder 'my-idea' in one file: `avelzoo --plugin idea.py run ead-b --encoder my-idea`."""

from typing import Annotated

from torch import Tensor, nn

import avelzoo
from avelzoo import Bounds, Encoded, Encoder, FeatureSpec, Help, Widths


@avelzoo.encoder("my-idea")
class MyIdea(Encoder):
    """Sum of linear projections of both modalities."""

    def __init__(self, spec: FeatureSpec, *, width: Annotated[int, Help("channels d"), Bounds(min=1)] = 64) -> None:
        super().__init__()
        self.widths = Widths(fused=width, audio=width, visual=width)
        self.audio = nn.Linear(spec.audio_dim, width)
        self.visual = nn.Linear(spec.visual_dim, width)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """Encode audio (b t a) and visual (b t h w v); all outputs are (b t d)."""
        audio_features = self.audio(audio)
        visual_features = self.visual(visual.mean(dim=(2, 3)))
        return Encoded(fused=audio_features + visual_features, audio=audio_features, visual=visual_features)
