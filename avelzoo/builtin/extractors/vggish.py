"""VGGish: 128 values per segment, as AVE's published audio features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from avelzoo.builtin.extractors.audio import AudioExtractor
from avelzoo.builtin.extractors.front_ends import PATCH_SAMPLES, RATE, SegmentExamples
from avelzoo.builtin.extractors.state_dicts import load_state, read_state
from avelzoo.extractors import FindWeights
from avelzoo.weights.store import locate

if TYPE_CHECKING:
    from avelzoo.builtin.extractors.audio_configs import VggishConfig

WIDTH = 128
_BLOCKS = ((64,), (128,), (256, 256), (512, 512))


class Vggish(nn.Module):
    """Log-mel examples (b 96 64) -> embeddings (b 128).

    Four blocks of 3 x 3 convolutions and 2 x 2 max-pooling, then 12288 -> 4096 -> 4096 -> 128, each with ReLU. The map
    is flattened in the order time, mel, channel, as TensorFlow does. Names of tensors are those of the common PyTorch
    port. No PCA, no quantisation.

    Args:
        relu: whether the embedding is the output of the last ReLU, as in AVE's features, or its input.

    Source: Hershey et al., CNN Architectures for Large-Scale Audio Classification (ICASSP 2017).
    """

    def __init__(self, *, relu: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for widths in _BLOCKS:
            for width in widths:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = width
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.embeddings = nn.Sequential(
            nn.Linear(6 * 4 * channels, 4096), nn.ReLU(inplace=True),
            nn.Linear(4096, 4096), nn.ReLU(inplace=True),
            nn.Linear(4096, WIDTH), nn.ReLU(inplace=True) if relu else nn.Identity(),
        )  # fmt: skip

    def forward(self, examples: Tensor) -> Tensor:
        """(b 96 64) -> (b 128)."""
        maps = self.features(examples.unsqueeze(1))
        embedding: Tensor = self.embeddings(maps.permute(0, 2, 3, 1).flatten(1))
        return embedding


def vggish(config: VggishConfig, find: FindWeights, *, device: str, precision: str) -> AudioExtractor:
    """The extractor.

    Raises:
        DataError: the weights are missing, damaged or of another network.
        UsageError: this machine has no such device, or the number format is unknown.
    """
    path, checksum = locate(find, config.published(), config.checkpoint)
    with torch.device("meta"):
        network = Vggish(relu=config.relu)
    load_state(network, _without_postprocessor(read_state(path)), path, "VGGish")
    module = SegmentExamples(network.to(memory_format=torch.channels_last), offset=0.01)
    return AudioExtractor(
        module,
        width=WIDTH,
        rate=RATE,
        shortest=PATCH_SAMPLES,
        recipe={
            "encoder": "vggish",
            "weights": checksum,
            **module.recipe(),
            "relu": config.relu,
            "postprocessing": "none",
            "precision": precision,
        },
        device=device,
        precision=precision,
    )


def _without_postprocessor(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights without PCA, which some files have beside them."""
    return {name: tensor for name, tensor in state.items() if not name.startswith("pproc.")}
