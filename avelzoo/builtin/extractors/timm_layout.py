"""From the last features of a model of timm to a map and back, and its classifier on a mean map."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset
from torch import Tensor

from avelzoo.errors import DataError


class Layout:
    """Form of a network's last features, and the way to a map (k h w v) and back.

    Forms: maps (k v h w) or (k h w v); tokens (k n v), of which the first ``prefix`` have no place in the picture and
    are dropped; vectors (k v). Tokens that fill no grid become their mean, a 1 x 1 map.

    Args:
        network: a model of timm.
        size: height and width of its input.
    """

    def __init__(self, network: Any, size: tuple[int, int]) -> None:
        with torch.inference_mode():
            found = network.forward_features(torch.zeros(1, 3, *size))
        if not isinstance(found, Tensor) or found.ndim not in (2, 3, 4):
            raise DataError(
                "this model of timm has no features in the form of a map",
                found=type(found).__name__,
                expected="a tensor of maps, tokens or vectors",
                fix="choose another model",
            )
        self.ndim = found.ndim
        self.prefix = int(getattr(network, "num_prefix_tokens", 0) or 0) if self.ndim == 3 else 0
        self.channels_last = self.ndim == 4 and getattr(network, "output_fmt", "NCHW") == "NHWC"
        self._tokens = _token_grid(network, found.shape[1] - self.prefix) if self.ndim == 3 else (1, 1)
        h, w, v = self.to_map(found).shape[1:]
        self.shape = (h, w, v)

    def to_map(self, features: Tensor) -> Tensor:
        """Map (k h w v) of the network's features."""
        if self.ndim == 4:
            return features if self.channels_last else features.permute(0, 2, 3, 1)
        if self.ndim == 2:
            return features[:, None, None]
        places = features[:, self.prefix :]
        return (
            places.reshape(len(places), *self._tokens, places.shape[2])
            if self._tokens
            else places.mean(1)[:, None, None]
        )

    def from_map(self, maps: Tensor) -> Tensor | None:
        """The network's features from a map; None if the map does not determine them."""
        if self.prefix or not self._tokens:
            return None
        if self.ndim == 4:
            return maps if self.channels_last else maps.permute(0, 3, 1, 2)
        return maps[:, 0, 0] if self.ndim == 2 else maps.flatten(1, 2)


def _token_grid(network: Any, tokens: int) -> tuple[int, int] | None:
    grid = getattr(getattr(network, "patch_embed", None), "grid_size", None)
    if grid is not None and grid[0] * grid[1] == tokens:
        return int(grid[0]), int(grid[1])
    side = round(tokens**0.5)
    return (side, side) if side * side == tokens else None


@torch.inference_mode()
def head_is_linear(network: Any, layout: Layout) -> bool:
    """Whether the model's classifier gives, for a mean of maps, the mean of its outputs for the maps.

    Then it is exact on the mean map of a segment's frames. Maps of different scale are compared, so a normalisation
    or an activation after pooling is recognized.
    """
    maps = torch.rand(2, *layout.shape, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 7.0]).view(
        2, 1, 1, 1
    )
    given = layout.from_map(torch.cat([maps, maps.mean(0, keepdim=True)]))
    if given is None or not getattr(network, "num_classes", 0):
        return False
    outputs = network.forward_head(given).float()
    first, second, middle = outputs
    return torch.allclose((first + second) / 2, middle, rtol=1e-3, atol=1e-4 * float(outputs.abs().max()))


def class_names(network: Any) -> tuple[str, ...]:
    """Names of the classes, if the classifier is one of ImageNet's; of two equal names each has its definition."""
    subset = infer_imagenet_subset(network)
    if subset is None:
        return ()
    info = ImageNetInfo(subset)
    names = info.label_descriptions()
    count = Counter(names)
    return tuple(
        info.index_to_description(i, detailed=True) if count[name] > 1 else name for i, name in enumerate(names)
    )
