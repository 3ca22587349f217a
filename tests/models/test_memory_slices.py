"""A bank read in slices is the bank: the same items, gradients and scores, in less memory."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from avelzoo.builtin.encoders.configs import STFusionConfig
from avelzoo.builtin.memory import reading
from avelzoo.builtin.memory.configs import JsdBankConfig, LazyBankConfig, RandomBankConfig
from avelzoo.engine.parallel.streams import OwnStream
from avelzoo.errors import UsageError
from tests.models.worlds import SPEC, make_batch, make_targets

STILL = STFusionConfig(width=8, heads=2, feedforward=12, dropout=0.0, input_dropout=0.0)
BANKS = {
    "sequence": JsdBankConfig(size=3),
    "frozen": JsdBankConfig(size=3, refresh_scores=False),
    "independent": JsdBankConfig(size=3, context="independent"),
    "zeros": JsdBankConfig(size=3, unfilled="zeros"),
    "random": RandomBankConfig(size=3),
}


def filled(config, encoder, dtype=torch.float32, slot_mb=1):
    """A bank with stored segments whose slices hold a single video; without a limit, one slice."""
    torch.manual_seed(1)
    memory = config.build(SPEC, encoder.widths, "full").to(dtype)
    getattr(memory.embeddings, "exact", memory.embeddings).encoded.slot_bytes = slot_mb * 2**20
    for step in range(2):
        batch = make_batch(seed=step, first_row=4 * step).to(dtype=dtype)
        memory.observe(encoder(batch.audio, batch.visual), batch, make_targets(seed=step))
    return memory


def gradients(config, encoder, dtype=torch.float32, *, slot_mb=1):
    """Items, scores after the reading, and gradients of a loss over the items."""
    encoder = encoder.to(dtype)
    memory = filled(config, encoder, dtype, slot_mb)
    encoder.zero_grad()
    torch.manual_seed(3)
    items = memory.read(encoder).items
    (items * torch.linspace(-1, 1, items.numel(), dtype=dtype).view_as(items)).sum().backward()
    drawn = torch.rand(())
    return items.detach(), memory.slots.score, [p.grad for p in encoder.parameters() if p.grad is not None], drawn


def same(found, wanted, tolerance):
    assert len(found[2]) == len(wanted[2]) > 0
    for one, other in zip((found[0], found[1], *found[2]), (wanted[0], wanted[1], *wanted[2]), strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("name", BANKS)
def test_slices_give_the_same_items_scores_and_gradients(name, dtype, tolerance):
    torch.manual_seed(0)
    encoder = STILL.build(SPEC)
    calls = []
    encoder.register_forward_hook(lambda module, given, found: calls.append(len(given[0])))
    wanted = gradients(BANKS[name], encoder, dtype)
    whole = len(calls)
    found = gradients(replace(BANKS[name], slice_mb=1), encoder, dtype)
    same(found, wanted, tolerance)
    assert set(calls[whole + 2 :]) == {1}, "one video a slice"
    assert len(calls) - whole - 2 > 2 * (whole - 2), "every slice is encoded again for the gradient"


def test_both_encodings_of_a_slice_have_the_same_dropout(monkeypatch):
    torch.manual_seed(0)
    encoder = replace(STILL, dropout=0.3, input_dropout=0.2).build(SPEC)
    config = JsdBankConfig(size=3, slice_mb=1)
    found = gradients(config, encoder)
    monkeypatch.setattr(reading, "_recomputed", lambda encode, encoded, *where: encoded(*where))
    kept = gradients(config, encoder)
    same(found, kept, 0)
    assert found[3] == kept[3], "later random numbers are the same"


class Own(torch.nn.Module):
    """An encoder that draws from a stream of its own, as processes that share batches do."""

    def __init__(self, inner, stream, *, replays):
        super().__init__()
        self.inner, self.stream = inner, stream
        if replays:
            self.replayed = stream.replayed

    def forward(self, audio, visual):
        with self.stream.drawn():
            return self.inner(audio, visual)


@pytest.mark.parametrize("replays", [True, False])
def test_an_encoder_with_its_own_random_numbers_repeats_them(replays, monkeypatch):
    torch.manual_seed(0)
    inner, stream = replace(STILL, dropout=0.3, input_dropout=0.2).build(SPEC), OwnStream(0, 1, torch.device("cpu"))
    memory = filled(JsdBankConfig(size=3, slice_mb=1), inner)
    start, later = stream.capture(), []

    def gradient():
        stream.restore(start)
        inner.zero_grad()
        memory.read(Own(inner, stream, replays=replays)).items.pow(2).sum().backward()
        later.append(stream.capture()[0]["torch"])
        return torch.cat([p.grad.flatten() for p in inner.parameters() if p.grad is not None])

    memory.refresh = False  # both readings see the same order
    found = gradient()
    monkeypatch.setattr(reading, "_recomputed", lambda encode, encoded, *where: encoded(*where))
    assert torch.allclose(found, gradient()) == replays
    assert torch.equal(*later) == replays


def test_less_is_kept_for_the_gradient():
    torch.manual_seed(0)
    encoder = STFusionConfig(width=32, heads=2, feedforward=64).build(SPEC)

    def kept(config):
        sizes = {}

        def keep(tensor):
            sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        memory = filled(config, encoder)
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            held = memory.read(encoder)
        assert held.items.requires_grad
        return sum(sizes.values())

    assert kept(JsdBankConfig(size=3, slice_mb=1)) < kept(JsdBankConfig(size=3)) / 4


def test_the_limit_is_measured_and_changes_no_random_number():
    torch.manual_seed(0)
    encoder = replace(STILL, dropout=0.3).build(SPEC)
    plain, limited = (gradients(JsdBankConfig(size=3, slice_mb=mb), encoder, slot_mb=0) for mb in (0, 1000))
    same(limited, plain, 0)
    assert limited[3] == plain[3]
    memory = filled(JsdBankConfig(size=3, slice_mb=1000), encoder, slot_mb=0)
    memory.read(encoder)
    assert 1000 < memory.embeddings.encoded.slot_bytes < 2**20


@pytest.mark.parametrize("config", [JsdBankConfig(size=3), LazyBankConfig(size=3, every=1)])
def test_evaluation_reads_slices_too(config):
    torch.manual_seed(0)
    encoder = STILL.build(SPEC).eval()
    calls = []
    views = []
    for limit in (0, 1):
        memory = filled(replace(config, slice_mb=limit), encoder).eval()
        handle = encoder.register_forward_hook(lambda module, given, found: calls.append(len(given[0])))
        with torch.no_grad():
            views.append(memory.read(encoder).items)
        handle.remove()
    assert max(calls) > 1
    assert calls[-3:] == [1, 1, 1]
    torch.testing.assert_close(views[1], views[0])


def test_a_bank_that_changed_before_the_gradient_is_an_error():
    encoder = STILL.build(SPEC)
    memory = filled(JsdBankConfig(size=3, slice_mb=1), encoder)
    items = memory.read(encoder).items
    later = make_batch(seed=7, first_row=40)
    memory.slots.score.zero_()
    memory.observe(encoder(later.audio, later.visual), later, make_targets(seed=7))
    with pytest.raises(UsageError, match="the memory changed"):
        items.sum().backward()
