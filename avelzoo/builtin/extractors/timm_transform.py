"""timm's evaluation transform of a model, on one decoded frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image
from timm.data.config import resolve_data_config
from timm.data.transforms_factory import create_transform

from avelzoo.builtin.extractors.resizing import require_rgb


def data_config(pretrained: Any) -> dict[str, Any]:
    """Input size, resizing, crop and normalisation of a model, as plain data.

    Args:
        pretrained: timm's pretrained config.
    """
    found = resolve_data_config({}, pretrained_cfg=pretrained.to_dict())  # type: ignore[no-untyped-call]
    keys = ("input_size", "interpolation", "crop_pct", "crop_mode", "mean", "std")
    return {key: list(value) if isinstance(value := found[key], tuple) else value for key in keys}


def frame_transform(config: Mapping[str, Any]) -> Callable[[np.ndarray], np.ndarray]:
    """Resizing and cropping of a frame (h w 3), uint8, to the input size (H W 3), uint8, without normalisation.

    The transform is timm's own on a Pillow image, so that pictures are those that the model was evaluated with.
    """
    transform = create_transform(
        input_size=tuple(config["input_size"]),
        interpolation=config["interpolation"],
        crop_pct=config["crop_pct"],
        crop_mode=config["crop_mode"],
        mean=tuple(config["mean"]),
        normalize=False,
    )

    def prepare(frame: np.ndarray) -> np.ndarray:
        found: np.ndarray = transform(Image.fromarray(require_rgb(frame))).permute(1, 2, 0).contiguous().numpy()
        return found

    return prepare
