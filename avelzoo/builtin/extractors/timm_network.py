"""Networks of timm: created by name, with weights from a file."""

from __future__ import annotations

import difflib
import re
import warnings
from pathlib import Path
from typing import Any

import timm
from torch import Tensor, nn

from avelzoo.builtin.extractors.state_dicts import misfit, read_state
from avelzoo.errors import DataError, UnknownNameError, did_you_mean
from avelzoo.extractors import WeightsFile

_LITE = "tf_efficientnet_lite"
_STEM = "_conv_stem.weight"
"""First tensor of EfficientNet weights under the names of the first PyTorch port."""


def require_model(model: str) -> Any:
    """timm's pretrained config of a model.

    Raises:
        UnknownNameError: timm has no model or no weights of this name; near names are suggested.
    """
    architecture, _, tag = model.partition(".")
    known = timm.list_models()
    if architecture not in known:
        parts = [name for name in known if architecture and architecture.lower() in name][:4]
        near = parts or difflib.get_close_matches(architecture.lower(), known, n=4, cutoff=0.5)
        raise UnknownNameError(
            f"timm has no model '{model}'" + did_you_mean(architecture, known),
            expected=", ".join(near) if near else f"one of timm's {len(known)} models",
            fix="`python -c 'import timm; print(*timm.list_models())'` lists the names",
        )
    tags = [name.partition(".")[2] for name in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in tags:
        raise UnknownNameError(
            f"timm has no weights '{tag}' of the model '{architecture}'" + did_you_mean(tag, tags),
            expected=", ".join(f"{architecture}.{one}" for one in tags) or f"{architecture} without a tag",
        )
    return timm.get_pretrained_cfg(model)


def published_weights(model: str) -> WeightsFile:
    """The file of a model's pretrained weights on the hub.

    Raises:
        UnknownNameError: timm has no model or no weights of this name.
    """
    known = require_model(model)
    full = f"{known.architecture}.{known.tag}" if known.tag else known.architecture
    repository = known.hf_hub_id or ""
    return WeightsFile(
        name="timm-" + re.sub(r"[._]", "-", full),
        file=f"timm-{full}.safetensors",
        licence=known.license or "not stated",
        source=f"Hugging Face hub, {repository}" if repository else known.url or "nobody: give a checkpoint",
        hub=f"{repository}:{known.hf_hub_filename or 'model.safetensors'}" if repository else "",
    )


def load_network(model: str, path: Path) -> nn.Module:
    """A model of timm with the weights in a file, in evaluation mode.

    Weights of EfficientNet-Lite under the names of the first PyTorch port are copied in order, with shapes compared.

    Raises:
        UnknownNameError: timm has no model of this name.
        DataError: the file is damaged or holds the weights of another network.
    """
    require_model(model)
    state = read_state(path)
    if model.startswith(_LITE) and _STEM in state:
        state = _in_order(state, model, path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # timm's notes on old names
            network: nn.Module = timm.create_model(model, pretrained=True, pretrained_cfg_overlay={"state_dict": state})
    except (RuntimeError, KeyError) as error:
        raise misfit(state, timm.create_model(model).state_dict(), path, model) from error
    return network.eval().requires_grad_(requires_grad=False)


def _in_order(state: dict[str, Tensor], model: str, path: Path) -> dict[str, Tensor]:
    wanted = timm.create_model(model).state_dict()
    if [tensor.shape for tensor in state.values()] != [tensor.shape for tensor in wanted.values()]:
        raise DataError(
            f"the weights are not those of {model}",
            where=str(path),
            found=f"{len(state)} tensors of other shapes",
            expected=f"{len(wanted)} tensors in the order of {model}",
            fix="choose the network that the file was made for",
        )
    return dict(zip(wanted, state.values(), strict=True))
