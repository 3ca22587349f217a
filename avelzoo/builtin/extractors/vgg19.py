"""VGG-19 in the two recipes of its two sets of weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from avelzoo.builtin.extractors.resizing import bilinear
from avelzoo.builtin.extractors.segment_maps import SegmentMaps
from avelzoo.builtin.extractors.vgg19_weights import load_convolutions
from avelzoo.extractors import Extractor, FeatureRecipe, FindWeights, FrameSampling, Modality
from avelzoo.weights.store import locate

if TYPE_CHECKING:
    from avelzoo.builtin.extractors.visual_configs import Vgg19Config

SIZE = 224
CAFFE_MEAN = (103.939, 116.779, 123.68)
"""Mean of blue, green and red in grey levels."""


class Vgg19(Extractor):
    """Mean of VGG-19's last map after pooling (7 7 512) over the frames of a segment; all values are >= 0.

    Source: the features published with AVE (Tian et al., ECCV 2018) are those of ``keras`` with 16 frames.

    Raises:
        DataError: weights are missing, damaged or of another network.
        UsageError: this machine has no such device, or the number format is unknown.
    """

    modality: Modality = "visual"
    shape = (7, 7, 512)

    def __init__(self, config: Vgg19Config, find: FindWeights, device: str, precision: str) -> None:
        path, checksum = locate(find, config.published(), config.checkpoint)
        network = load_convolutions(path)
        prepare, transform = (_keras if config.source == "keras" else _imagenet)()
        self._maps = SegmentMaps(
            lambda frames: network(frames).permute(0, 2, 3, 1),
            shape=self.shape,
            size=(SIZE, SIZE),
            mean=transform["mean"],
            std=transform["std"],
            reverse=transform["channels"] == "BGR",
            device=device,
            precision=precision,
        )
        network.to(self._maps.device).to(memory_format=torch.channels_last)
        self.sampling = FrameSampling(per_segment=config.frames, prepare=prepare)
        self.recipe: FeatureRecipe = {
            "encoder": f"vgg19-{config.source}",
            "weights": checksum,
            "frames": config.frames,
            "transform": transform,
            "grid": [7, 7],
            "precision": precision,
        }

    def features(self, segments: np.ndarray) -> np.ndarray:
        """Features (b 7 7 512) of b segments of k prepared frames (b k 224 224 3), uint8."""
        return self._maps(segments)


Prepare = Callable[[np.ndarray], np.ndarray]


def _keras() -> tuple[Prepare, dict[str, Any]]:
    transform = {
        "input_size": [3, SIZE, SIZE],
        "resize": "squash, bilinear, uint8",
        "channels": "BGR",
        "mean": [level / 255 for level in CAFFE_MEAN],
        "std": [1 / 255] * 3,
    }
    return lambda frame: bilinear(frame, SIZE, SIZE), transform


def _imagenet() -> tuple[Prepare, dict[str, Any]]:
    from avelzoo.builtin.extractors.timm_network import require_model
    from avelzoo.builtin.extractors.timm_transform import data_config, frame_transform

    transform = data_config(require_model("vgg19.tv_in1k")) | {"channels": "RGB"}
    return frame_transform(transform), transform
