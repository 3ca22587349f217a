"""Options for GPUs, as far as a CPU can tell: what is chosen, what is rounded, what is refused."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from avelzoo.builtin.optimizers.configs import AdamConfig, AdamWConfig, SgdConfig, one_kernel
from avelzoo.composition.recipe import ComputeConfig
from avelzoo.engine.device import make_fabric
from avelzoo.engine.loader import Loader
from avelzoo.engine.processes import SingleProcess
from avelzoo.errors import OptionError
from avelzoo.profiling.attention import AttentionKernels
from tests.engine.tiny import TinyData, composed


def parameter(device="cuda", *, floating=True):
    return SimpleNamespace(device=SimpleNamespace(type=device), is_floating_point=lambda: floating)


def test_an_optimizer_is_one_kernel_where_all_parameters_are_floats_on_one_kind_of_device():
    assert one_kernel([parameter(), parameter()]) is True
    assert one_kernel([parameter("cpu"), parameter("cpu")]) is True
    assert one_kernel([parameter(), parameter("cpu")]) is None
    assert one_kernel([parameter("mps")]) is None
    assert one_kernel([parameter(floating=False)]) is None
    assert one_kernel([]) is None


@pytest.mark.parametrize("config", [AdamConfig(weight_decay=0.01), AdamWConfig(), SgdConfig(nesterov=True)])
def test_one_kernel_steps_as_the_others_do(config, monkeypatch):
    found = []
    for fused in (None, True):
        monkeypatch.setattr("avelzoo.builtin.optimizers.configs.one_kernel", lambda _, fused=fused: fused)
        torch.manual_seed(0)
        layer = nn.Linear(5, 3)
        optimizer = config.build(layer.parameters())
        assert optimizer.defaults["fused"] is fused
        for _ in range(4):
            optimizer.zero_grad()
            layer(torch.linspace(-1, 1, 10).view(2, 5)).square().sum().backward()
            optimizer.step()
        found.append(layer.weight.detach())
    torch.testing.assert_close(*found)


def test_the_kernels_of_attention_are_named():
    query = torch.ones(2, 4, 6, 8, requires_grad=True)
    with AttentionKernels() as kernels:
        F.scaled_dot_product_attention(query, query, query)
    assert kernels.names == ("flash",)
    with sdpa_kernel(SDPBackend.MATH), kernels:
        F.scaled_dot_product_attention(query, key=query, value=query)
    assert kernels.names == ("flash", "math")
    with AttentionKernels() as kernels:
        torch.softmax(query @ query.mT, dim=-1)
    assert kernels.names == ()


def test_features_cross_the_bus_in_half_the_bytes():
    """They are rounded before they are sent, and widened where they arrive; labels stay as they are."""
    data = TinyData(composed().recipe.dataset)
    sent, arrived = [], []

    class Bus(SingleProcess):
        def to_device(self, batch, targets, videos):
            sent.append(batch)
            arrived.append(super().to_device(batch, targets, videos))
            return arrived[-1]

    splits = {"train": data.split("train")}
    read = Loader(splits, Bus(make_fabric("cpu", "32"), "32"), 0, torch.bfloat16)
    places = np.array([3, 1])
    with read.shares("train", [places]) as shares:
        list(shares)
    batch, targets = splits["train"].fetch(places)
    assert sent[0].audio.dtype == sent[0].visual.dtype == torch.bfloat16
    assert arrived[0].batch.visual.dtype == torch.float32
    assert torch.equal(arrived[0].batch.visual, batch.visual.bfloat16().float())
    assert torch.equal(arrived[0].batch.rows, batch.rows)
    assert torch.equal(arrived[0].targets.event, targets.event)


def test_graphs_need_a_compiled_model():
    assert ComputeConfig(compile=True, compile_mode="reduce-overhead").compile
    with pytest.raises(OptionError, match="compile_mode needs compute") as fault:
        ComputeConfig(compile_mode="reduce-overhead")
    assert fault.value.fix == "set compute.compile to true"
