"""Any backbone of timm as an extractor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from avelzoo.builtin.extractors.folding import folded
from avelzoo.builtin.extractors.segment_maps import SegmentMaps
from avelzoo.builtin.extractors.timm_layout import Layout, class_names, head_is_linear
from avelzoo.builtin.extractors.timm_network import load_network, require_model
from avelzoo.builtin.extractors.timm_transform import data_config, frame_transform
from avelzoo.errors import OptionError
from avelzoo.extractors import Extractor, FeatureRecipe, FindWeights, FrameSampling, Modality
from avelzoo.weights.store import locate

if TYPE_CHECKING:
    from avelzoo.builtin.extractors.visual_configs import TimmConfig

_SCORED = 64
"""Maps that the classifier sees at once."""


class TimmBackbone(Extractor):
    """Mean of a timm model's last map (h w v) over the frames of a segment.

    Classes are those of the model's own classifier, if it is exact on the mean map: global pooling and a linear layer.

    Raises:
        UnknownNameError: timm has no model of this name.
        DataError: weights are missing, damaged or of another network.
        UsageError: this machine has no such device, the number format is unknown, or the grid is larger than the map.
    """

    modality: Modality = "visual"

    def __init__(self, config: TimmConfig, find: FindWeights, device: str, precision: str) -> None:
        transform = data_config(require_model(config.model))
        if config.model == type(config).model:  # the package's weights, not those of timm's tag
            transform |= {"mean": [127 / 255] * 3, "std": [128 / 255] * 3}
        path, checksum = locate(find, config.published(), config.checkpoint)
        network = load_network(config.model, path)
        size = (transform["input_size"][1], transform["input_size"][2])
        layout = Layout(network, size)
        if precision == "32":  # in bf16 folded weights would round otherwise, and change features
            network = folded(network, size)
        h, w, v = layout.shape
        pooled = (config.grid[0], config.grid[1]) if config.grid else (h, w)
        if pooled[0] > h or pooled[1] > w:
            raise OptionError(
                "option 'extractor.grid' is larger than the model's map",
                found=f"{pooled[0]},{pooled[1]}",
                expected=f"at most {h},{w} for {config.model}",
            )
        self._maps = SegmentMaps(
            lambda frames: layout.to_map(network.forward_features(frames)),  # type: ignore[operator]
            shape=layout.shape,
            size=size,
            mean=transform["mean"],
            std=transform["std"],
            device=device,
            precision=precision,
            grid=pooled if config.grid else None,
        )
        self._linear = head_is_linear(network, layout) and h % pooled[0] == 0 and w % pooled[1] == 0
        self._layout = layout
        self._network = network.to(self._maps.device).to(memory_format=torch.channels_last)
        self.classes = class_names(network) if self._linear else ()
        self.shape = (*pooled, v)
        self.sampling = FrameSampling(per_segment=config.frames, prepare=frame_transform(transform))
        self.recipe: FeatureRecipe = {
            "encoder": f"timm:{config.model}",
            "weights": checksum,
            "frames": config.frames,
            "transform": transform,
            "grid": list(pooled),
            "precision": precision,
        }

    def features(self, segments: np.ndarray) -> np.ndarray:
        """Features (b h w v) of b segments of k prepared frames (b k H W 3), uint8."""
        return self._maps(segments)

    @torch.inference_mode()
    def class_scores(self, features: np.ndarray) -> np.ndarray:
        """Probabilities of ImageNet's classes (... classes): the softmax of the mean logits of a segment's frames.

        Raises:
            NotImplementedError: the classifier is not exact on a mean map, or is not one of ImageNet.
        """
        if not self.classes:
            raise NotImplementedError(f"{self.recipe['encoder']} has no classifier of a mean map")
        maps = torch.from_numpy(np.require(features, np.float32, ("C", "W")).reshape(-1, *self.shape))
        h, w, v = self._layout.shape
        pooled = maps.mean((1, 2), keepdim=True).expand(-1, h, w, v)  # the classifier sees the mean alone
        logits = [
            self._network.forward_head(self._layout.from_map(part.to(self._maps.device))).float()  # type: ignore[operator]
            for part in torch.split(pooled, _SCORED)
        ]
        scores: np.ndarray = torch.cat(logits).softmax(-1).cpu().numpy()
        return scores.reshape(*features.shape[:-3], len(self.classes))
