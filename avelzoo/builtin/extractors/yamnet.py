"""YAMNet: 1024 values and 521 AudioSet classes per segment, from the variables of its SavedModel."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from avelzoo.builtin.extractors.audio import AudioExtractor
from avelzoo.builtin.extractors.front_ends import PATCH_SAMPLES, RATE, SegmentExamples
from avelzoo.builtin.extractors.same_padding import SameConv2d
from avelzoo.builtin.extractors.yamnet_weights import load_variables, read_classes
from avelzoo.extractors import FindWeights, WeightsFile
from avelzoo.weights.store import locate

CLASSES = 521
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
WIDTHS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
"""Strides and output channels of the 13 separable blocks."""


class Yamnet(nn.Module):
    """Log-mel examples (b 96 64) -> embeddings (b 1024), all >= 0.

    A 3 x 3 convolution of stride 2 to 32 channels, then 13 blocks of a depthwise 3 x 3 and a pointwise convolution,
    each followed by ReLU; the mean over the map. Batch normalisation is part of the convolutions' weights.

    Source: YAMNet, TensorFlow models.
    """

    def __init__(self) -> None:
        super().__init__()
        convolutions: list[nn.Conv2d] = [SameConv2d(1, 32, 3, stride=2)]
        width = 32
        for stride, wider in zip(STRIDES, WIDTHS, strict=True):
            convolutions += [SameConv2d(width, width, 3, stride=stride, groups=width), nn.Conv2d(width, wider, 1)]
            width = wider
        self.convolutions = nn.ModuleList(convolutions)

    def forward(self, examples: Tensor) -> Tensor:
        """(b 96 64) -> (b 1024)."""
        maps = examples.unsqueeze(1)
        for convolution in self.convolutions:
            maps = convolution(maps).relu()
        return maps.mean((2, 3))


class YamnetClassifier(nn.Module):
    """Embeddings (... 1024) -> probabilities (... 521)."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(WIDTHS[-1], CLASSES)

    def forward(self, embeddings: Tensor) -> Tensor:
        """Independent probabilities: sigmoid(W x + b)."""
        scores: Tensor = self.linear(embeddings)
        return scores.sigmoid()


def yamnet(
    variables: WeightsFile,
    index: WeightsFile,
    class_map: WeightsFile,
    find: FindWeights,
    *,
    device: str,
    precision: str,
) -> AudioExtractor:
    """The extractor with the weights of a SavedModel.

    Args:
        variables: data file of the SavedModel's variables.
        index: index of that file.
        class_map: names of the classes.
        find: finds the files.
        device: cpu, cuda or cuda:N.
        precision: 32 or bf16.

    Raises:
        DataError: a file is missing, damaged or of another network.
        UsageError: this machine has no such device, or the number format is unknown.
    """
    data, checksum = locate(find, variables)
    network, classifier = Yamnet(), YamnetClassifier()
    load_variables(network.convolutions, classifier.linear, index=find(index), data=data)
    module = SegmentExamples(network.to(memory_format=torch.channels_last), offset=0.001)
    return AudioExtractor(
        module,
        width=WIDTHS[-1],
        rate=RATE,
        shortest=PATCH_SAMPLES,
        recipe={
            "encoder": "yamnet",
            "weights": checksum,
            **module.recipe(),
            "precision": precision,
        },
        device=device,
        precision=precision,
        classifier=classifier,
        classes=read_classes(find(class_map), CLASSES),
    )
