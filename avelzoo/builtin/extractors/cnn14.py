"""CNN14: 2048 values per segment, in the variants for 32 and 16 kHz."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo.builtin.extractors.audio import AudioExtractor
from avelzoo.builtin.extractors.front_ends import CentredLogMel
from avelzoo.builtin.extractors.state_dicts import load_state, misfit, read_state
from avelzoo.errors import DataError
from avelzoo.extractors import FindWeights
from avelzoo.weights.store import locate

if TYPE_CHECKING:
    from avelzoo.builtin.extractors.audio_configs import Cnn14Config

WIDTH = 2048
CLASSES = 527
BANDS = 64
_BLOCKS = (64, 128, 256, 512, 1024, 2048)
SHORTEST_FRAMES = 32
"""Frames that five poolings by 2 need."""
_MEL = "logmel_extractor.melW"
_FOURIER = ("spectrogram_extractor.stft.conv_real.weight", "spectrogram_extractor.stft.conv_imag.weight")
_TOLERANCE = 1e-5  # filters are at most 0.03


class Variant(NamedTuple):
    """Front end of a variant: samples per second, of a frame and between frames; upper edge of the bands in Hz."""

    rate: int
    window: int
    hop: int
    high: float


VARIANTS = {"32k": Variant(32_000, 1024, 320, 14_000.0), "16k": Variant(16_000, 512, 160, 8_000.0)}


class ConvBlock(nn.Module):
    """Two 3 x 3 convolutions without bias, each with batch normalisation and ReLU; average pooling.

    Args:
        channels: input channels.
        width: output channels.
        pool: side of the pooled squares.
    """

    def __init__(self, channels: int, width: int, pool: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.bn2 = nn.BatchNorm2d(width)
        self.pool = pool

    def forward(self, maps: Tensor) -> Tensor:
        """(b c h w) -> (b width h / pool w / pool)."""
        maps = F.relu(self.bn1(self.conv1(maps)))
        maps = F.relu(self.bn2(self.conv2(maps)))
        return F.avg_pool2d(maps, self.pool)


class Cnn14(nn.Module):
    """Log-mel frames (b t 64), t >= 32 -> embeddings (b 2048), all >= 0.

    Batch normalisation per band, six blocks, mean over bands, maximum plus mean over time, one linear layer and ReLU.
    Names of tensors are those of the public code; ``fc_audioset``, its classifier, is loaded and not used.

    Source: Kong et al., PANNs: Large-Scale Pretrained Audio Neural Networks (TASLP 2020).
    """

    def __init__(self) -> None:
        super().__init__()
        self.bn0 = nn.BatchNorm2d(BANDS)
        channels = 1
        for number, width in enumerate(_BLOCKS, 1):
            self.add_module(f"conv_block{number}", ConvBlock(channels, width, 2 if number < len(_BLOCKS) else 1))
            channels = width
        self.fc1 = nn.Linear(channels, WIDTH)
        self.fc_audioset = nn.Linear(WIDTH, CLASSES)

    def forward(self, frames: Tensor) -> Tensor:
        """(b t 64) -> (b 2048)."""
        maps = self.bn0(frames.transpose(1, 2).unsqueeze(3)).permute(0, 3, 2, 1)
        for number in range(1, len(_BLOCKS) + 1):
            maps = self.get_submodule(f"conv_block{number}")(maps)
        over_time = maps.mean(3)
        return F.relu(self.fc1(over_time.amax(2) + over_time.mean(2)))


class Cnn14Segments(nn.Module):
    """Waves (b n) -> embeddings (b 2048)."""

    def __init__(self, front_end: CentredLogMel, network: Cnn14) -> None:
        super().__init__()
        self.front_end = front_end
        self.network = network

    def forward(self, waves: Tensor) -> Tensor:
        """(b n) with at least 32 frames -> (b 2048)."""
        embedding: Tensor = self.network(self.front_end(waves))
        return embedding


def cnn14(config: Cnn14Config, find: FindWeights, *, device: str, precision: str) -> AudioExtractor:
    """The extractor.

    Raises:
        DataError: the weights are missing, damaged or of another network or variant.
        UsageError: this machine has no such device, or the number format is unknown.
    """
    variant = VARIANTS[config.variant]
    path, checksum = locate(find, config.published(), config.checkpoint)
    front_end = CentredLogMel(
        rate=variant.rate, window=variant.window, hop=variant.hop, bands=BANDS, low=50.0, high=variant.high
    )
    with torch.device("meta"):
        network = Cnn14()
    load_state(network, _network_state(read_state(path), network, front_end, path), path, "CNN14")
    return AudioExtractor(
        Cnn14Segments(front_end, network.to(memory_format=torch.channels_last)),
        width=WIDTH,
        rate=variant.rate,
        shortest=(SHORTEST_FRAMES - 1) * variant.hop,
        recipe={
            "encoder": f"cnn14-{config.variant}",
            "weights": checksum,
            **front_end.recipe(),
            "context": "none",
            "precision": precision,
        },
        device=device,
        precision=precision,
    )


def _network_state(state: dict[str, Tensor], network: Cnn14, front_end: CentredLogMel, path: Path) -> dict[str, Tensor]:
    """The network's weights, without the tensors of the front end, which tell whether the variant is right.

    Raises:
        DataError: the front end is of another variant.
    """
    bins = front_end.window // 2 + 1
    stated = {_MEL: (bins, BANDS), **dict.fromkeys(_FOURIER, (bins, 1, front_end.window))}
    wanted = {name: torch.empty(shape, device="meta") for name, shape in stated.items()}
    given = {name: state[name] for name in stated if name in state}
    if any(given[name].shape != wanted[name].shape for name in given):
        raise misfit(given, {name: wanted[name] for name in given}, path, f"CNN14 for {front_end.rate // 1000} kHz")
    if _MEL in given and (off := float((given[_MEL].float() - front_end.filters).abs().max())) > _TOLERANCE:
        raise DataError(
            "the checkpoint has another mel filter bank",
            where=f"{path}, {_MEL}",
            found=f"weights that differ by up to {off:.2g}",
            expected=front_end.recipe()["mel"],
            fix="use the published checkpoint of this variant",
        )
    return {name: tensor for name, tensor in state.items() if name not in stated}
