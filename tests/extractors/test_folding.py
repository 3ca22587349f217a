"""Folded networks compute what they computed, with fewer passes."""

from __future__ import annotations

import pytest
import timm
import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import nn

from avelzoo.builtin.extractors.folding import folded
from avelzoo.builtin.extractors.same_padding import SameConv2d


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [(8, 8), (7, 7), (8, 7), (9, 6)])
def test_same_padding_is_tensorflow_s(stride, kernel, size):
    torch.manual_seed(kernel)
    other = Conv2dSame(4, 6, kernel, stride=stride, groups=2).eval()
    made, x = SameConv2d.like(other), torch.randn(2, 4, *size)
    with torch.inference_mode():
        assert torch.allclose(made(x), other(x), atol=1e-6)
    assert made(x).shape[2:] == tuple(-(-n // stride) for n in size)


def randomised(network: nn.Module) -> nn.Module:
    """Statistics of normalisations that are not 0 and 1."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.3, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.7, 1.3)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    return network.eval()


@pytest.mark.parametrize("model", ["test_resnet", "test_efficientnet", "tf_mobilenetv3_small_minimal_100", "test_vit"])
def test_features_stay_and_normalisations_go(model):
    network = randomised(timm.create_model(model))
    size = (160, 160) if model == "test_vit" else (64, 64)
    made, frames = folded(network, size), torch.randn(2, 3, *size)
    with torch.inference_mode():
        before, after = network.forward_features(frames), made.forward_features(frames)
        assert torch.allclose(network.forward_head(before), made.forward_head(after), rtol=1e-3, atol=1e-4)
    assert torch.allclose(before, after, rtol=1e-4, atol=1e-5 * float(before.abs().max()))
    left = [name for name, module in made.named_modules() if isinstance(module, nn.BatchNorm2d | Conv2dSame)]
    assert not left


class Shared(nn.Module):
    """A result of a convolution that is used beside its normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)

    def forward_features(self, x: torch.Tensor) -> torch.Tensor:
        found = self.conv(x)
        return found + self.norm(found)


def test_a_network_that_would_change_stays():
    network = randomised(Shared())
    assert folded(network, (8, 8)) is network
