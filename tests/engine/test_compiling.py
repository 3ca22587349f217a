"""Compiled encoders: the same outputs and gradients; where compiling fails, the encoder as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from avelzoo import build
from avelzoo.builtin.encoders.configs import MeanPoolConfig
from avelzoo.builtin.ge2023.recipes import ead_b
from avelzoo.engine.compiling import RECURRENT, compile_model, is_compiled, plain_model
from avelzoo.engine.rundir import RunWarning
from tests.models.worlds import SPEC, make_batch, make_targets

BATCH, TARGETS = make_batch(), make_targets()


SMALL = MeanPoolConfig(width=8, dropout=0.5)


def model(encoder):
    torch.manual_seed(0)
    return build(replace(ead_b("full"), encoder=encoder), SPEC)


def step(trained):
    torch.manual_seed(1)  # of the dropout outside the encoder
    trained.train()
    out = trained(BATCH, TARGETS)
    out.loss.backward()
    return out.loss.detach(), {name: p.grad for name, p in trained.named_parameters() if p.grad is not None}


def test_a_compiled_step_is_the_plain_step():
    # without temporal fusion, which is made of the same blocks: compiling them once more would double the time
    encoder = replace(ead_b("full").encoder, width=16, heads=2, dropout=0.0, temporal_fusion=False)
    plain, compiled = model(encoder), model(encoder)
    assert compile_model(compiled, BATCH, backend="aot_eager") is None
    assert is_compiled(compiled.encoder)
    assert list(compiled.state_dict()) == list(plain.state_dict())
    (loss, gradients), (expected, known) = step(compiled), step(plain)
    torch.testing.assert_close(loss, expected)
    assert gradients.keys() == known.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, known[name], rtol=1e-3, atol=1e-5)
    for name, value in compiled.state_dict().items():
        torch.testing.assert_close(value, plain.state_dict()[name])


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # the compiler reads it, and hides the warning
def test_shapes_that_come_back_run_compiled_and_the_others_as_written():
    """As CUDA graphs do: encoder and head, a graph for each shape, copies of what a graph may overwrite."""
    graphs = []

    def counting(graph, inputs):
        graphs.append([tuple(value.shape) for value in inputs if isinstance(value, torch.Tensor)])
        return graph.forward

    plain, compiled = model(SMALL), model(SMALL)
    assert compile_model(compiled, BATCH, mode="reduce-overhead", backend=counting) is None
    assert is_compiled(compiled.encoder)
    assert is_compiled(compiled.head)
    known = len(graphs)
    assert known >= 4, "encoder and head, training and evaluation"
    for _ in range(2):  # the bank fills: its shapes do not come back
        (loss, gradients), (expected, wanted) = step(compiled), step(plain)
        torch.testing.assert_close(loss, expected)
        assert gradients.keys() == wanted.keys()
        for name, gradient in gradients.items():
            torch.testing.assert_close(gradient, wanted[name])
    first = compiled.encoder.train()(BATCH.audio, BATCH.visual)
    assert first.fused.data_ptr() != compiled.encoder(BATCH.audio, BATCH.visual).fused.data_ptr()
    before = len(graphs)
    for calls in range(1, 5):
        compiled.encoder(BATCH.audio[:1], BATCH.visual[:1])
        assert (len(graphs) > before) is (calls >= RECURRENT)
    plain_model(compiled)
    assert not is_compiled(compiled.head)


def test_compiling_leaves_no_trace():
    compiled = model(SMALL)
    before = torch.get_rng_state()
    assert compile_model(compiled.eval(), BATCH, backend="aot_eager") is None
    assert torch.equal(torch.get_rng_state(), before)
    assert not compiled.encoder.training
    assert all(p.grad is None for p in compiled.parameters())


def test_where_compiling_fails_the_encoder_goes_on_as_it_was():
    def broken(graph, inputs):
        raise RuntimeError("no compiler here\nand more")

    compiled, plain = model(SMALL), model(SMALL)
    with pytest.warns(RunWarning, match="could not be compiled and runs uncompiled: .*no compiler here"):
        assert "no compiler here" in compile_model(compiled, BATCH, backend=broken)
    assert not is_compiled(compiled.encoder)
    assert torch.equal(step(compiled)[0], step(plain)[0])
