"""Frozen networks without their batch normalisations: folded into the convolutions before them."""

from __future__ import annotations

import copy

import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from avelzoo.builtin.extractors.same_padding import SameConv2d

_AGREE = 1e-3
"""Largest difference of the folded network's result, relative to the largest number: rounding is below a hundredth."""


@torch.no_grad()
def folded(network: nn.Module, size: tuple[int, int]) -> nn.Module:
    """A copy of a network in evaluation mode that computes the same with fewer passes over its maps.

    With s = gamma / sqrt(variance + eps), a convolution followed by a normalisation is one convolution::

        s (w * x + b - mean) + beta  =  (s w) * x + s (b - mean) + beta

    TensorFlow's "same" padding becomes a part of the convolution. Features change by rounding alone. A network whose
    result would change by more, because its parts are used in another way than it seems, is returned as it is.

    Args:
        network: maps frames (b 3 H W) to its features by ``forward_features``.
        size: height and width of its frames.
    """
    frames = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = copy.deepcopy(network)
    before, pairs = _followed(found, frames)
    for convolution, normalisation in pairs:
        _fold(convolution, normalisation)
    folds = {id(normalisation) for _, normalisation in pairs}
    for parent in list(found.modules()):
        for name, child in list(parent.named_children()):
            if id(child) in folds:
                setattr(parent, name, getattr(child, "act", nn.Identity()))
            elif isinstance(child, Conv2dSame):
                setattr(parent, name, SameConv2d.like(child))
    after: Tensor = found.forward_features(frames)  # type: ignore[operator]
    limit = _AGREE * float(before.abs().max())
    return found.requires_grad_(requires_grad=False) if float((after - before).abs().max()) <= limit else network


def _followed(network: nn.Module, frames: Tensor) -> tuple[Tensor, list[tuple[nn.Conv2d, nn.BatchNorm2d]]]:
    """The features of frames, and the convolutions whose result goes into a normalisation, each used once."""
    made: dict[int, tuple[nn.Conv2d, Tensor]] = {}
    pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d]] = []
    used: list[nn.Module] = []

    def convolved(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(module, nn.Conv2d)
        used.append(module)
        made[id(output)] = (module, output)  # the tensor is kept, so that its id stays its own

    def normalised(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        used.append(module)
        if (found := made.get(id(inputs[0]))) is not None and isinstance(module, nn.BatchNorm2d):
            pairs.append((found[0], module))

    hooks = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(convolved))
        elif isinstance(module, nn.BatchNorm2d):
            hooks.append(module.register_forward_pre_hook(normalised))
    found: Tensor = network.forward_features(frames)  # type: ignore[operator]
    for hook in hooks:
        hook.remove()
    once = {id(module) for module in used if sum(other is module for other in used) == 1}
    return found.clone(), [(c, b) for c, b in pairs if id(c) in once and id(b) in once and _is_fixed(b)]


def _is_fixed(normalisation: nn.BatchNorm2d) -> bool:
    return normalisation.running_mean is not None and normalisation.running_var is not None


def _fold(convolution: nn.Conv2d, normalisation: nn.BatchNorm2d) -> None:
    assert normalisation.running_mean is not None
    assert normalisation.running_var is not None
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        normalisation.running_mean,
        normalisation.running_var,
        normalisation.eps,
        normalisation.weight,
        normalisation.bias,
    )
