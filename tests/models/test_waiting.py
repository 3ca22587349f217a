"""A training step on a GPU must not wait for it: operations whose result the host needs, counted on the CPU."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import pytest
import torch
from gpu.waiting import Reads

from avelzoo import build, recipes
from avelzoo.builtin.encoders.configs import STFusionConfig
from avelzoo.builtin.memory import slots
from avelzoo.builtin.memory.configs import FeatureBankConfig, JsdBankConfig, LazyBankConfig, RandomBankConfig
from avelzoo.builtin.memory.slots import Candidates, RankedSlots
from avelzoo.nn.cpu import plain_layers
from tests.models.worlds import SPEC, make_batch, make_targets

ENCODER = STFusionConfig(width=8, heads=2, feedforward=12)
MEMORIES = {
    "paper": JsdBankConfig(size=2),
    "one t": JsdBankConfig(size=2, context="independent"),
    "best, zeros": JsdBankConfig(size=2, candidates="best", unfilled="zeros", background_videos="category-0"),
    "random": RandomBankConfig(size=2),
    "features": FeatureBankConfig(size=2),
    "lazy": LazyBankConfig(size=2, every=2),
}


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """The bank and the layers take the paths of a GPU."""
    monkeypatch.setattr(slots, "waits", lambda device: True)
    with plain_layers():
        yield


def model_with(memory, supervision="full"):
    torch.manual_seed(0)
    return build(replace(recipes["ead-b"](supervision), encoder=ENCODER, memory=memory), SPEC).train()


def reads(model, supervision, step):
    """What the host reads in a step, from the batch to the gradients."""
    batch, targets = make_batch(seed=step, first_row=4 * step), make_targets(weak=supervision == "weak", seed=step)
    with Reads() as mode:
        model(batch, targets).loss.backward()
    return dict(mode.found)


@pytest.mark.parametrize(("name", "supervision"), [*((name, "full") for name in MEMORIES), ("paper", "weak")])
def test_a_step_waits_only_until_every_slot_is_filled(name, supervision, as_on_a_gpu):
    model = model_with(MEMORIES[name], supervision)
    early = [reads(model, supervision, step) for step in range(5)]
    assert all(sum(found.values()) <= SPEC.n + 1 for found in early), "one list of counts, and the lazy bank's age"
    assert model.memory.slots.filled.all()
    assert [reads(model, supervision, step) for step in (5, 6)] == [{}] * 2


def test_the_public_codes_identity_is_the_one_that_waits(as_on_a_gpu):
    """It compares each entry with those before it, which may be gone by then."""
    model = model_with(JsdBankConfig(size=2, candidates="best", duplicates="audio-sum"))
    assert all(reads(model, "full", step).get("nonzero") for step in range(3))


def test_what_waits_is_counted():
    x = torch.arange(4.0)
    with Reads() as mode:
        x[x > 1], x.clone().__setitem__(x > 1, 0.0), x.sum().item(), x.nonzero(), x[torch.tensor([1])]
        torch.ones(2).repeat_interleave(torch.tensor([1, 2])), torch.ones(2).repeat_interleave(2)
    assert mode.found == {
        "index by mask": 1, "index_put_ by mask": 1, "_local_scalar_dense": 1, "nonzero": 1, "repeat_interleave": 1,
    }  # fmt: skip


def entries(step, k=40, n=5):
    """Entries with equal scores and repeated keys among them; a quarter is not allowed."""
    g = torch.Generator().manual_seed(step)
    return Candidates(
        category=torch.randint(n - 1, (k,), generator=g),  # one category stays empty
        score=torch.randint(1, 9, (k,), generator=g) / 4 + step / 8,
        key=torch.randint(10**6, (k,), generator=g),
        relevance=torch.rand(k, generator=g),
        position=torch.randperm(k, generator=g),
        allowed=torch.rand(k, generator=g) < 0.75,
        source={"audio": torch.rand(k, 3, generator=g), "visual": torch.rand(k, 2, 2, 3, generator=g)},
    )


def test_slots_are_the_same_on_either_path(monkeypatch):
    found = []
    for waiting in (False, True):
        monkeypatch.setattr(slots, "waits", lambda device, waiting=waiting: waiting)
        ranked = RankedSlots(5, 4, {"audio": (3,), "visual": (2, 2, 3)})
        seen = []
        for step in range(6):
            ranked.insert(entries(step))
            if step % 2:
                ranked.rescore(torch.rand(5, 4, generator=torch.Generator().manual_seed(step)))
            seen.append({name: value.clone() for name, value in ranked.state_dict().items()})
            assert ranked.counts() == tuple(ranked.filled.sum(dim=1).tolist())
        found.append(seen)
    assert all(torch.equal(one[name], other[name]) for one, other in zip(*found, strict=True) for name in one)
    assert found[0][0]["filled"].sum(dim=1).tolist() == [4, 4, 4, 4, 0]


def test_entries_that_are_not_allowed_leave_no_trace():
    one, other = (RankedSlots(5, 4, {"audio": (3,), "visual": (2, 2, 3)}) for _ in range(2))
    for step in range(4):
        some = entries(step)
        one.insert(some)
        other.insert(some.take(some.allowed.nonzero().squeeze(1)))
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


def test_counts_follow_a_loaded_a_copied_and_a_changed_bank():
    full, empty = (RankedSlots(4, 2, {"audio": (3,), "visual": (2, 2, 3)}) for _ in range(2))
    blank = copy.deepcopy(empty.state_dict())
    for step in range(4):
        full.insert(entries(step))
    assert full.counts() == (2, 2, 2, 2)
    assert empty.counts() == (0, 0, 0, 0)
    twin, sent = copy.deepcopy(full), pickle.loads(pickle.dumps(full))  # noqa: S301, our own
    full.load_state_dict(blank)
    assert full.counts() == (0, 0, 0, 0)
    twin.filled[1, 1] = False
    sent.double().filled[2] = False
    assert (twin.counts(), sent.counts()) == ((2, 1, 2, 2), (2, 2, 0, 2))
    full.insert(entries(1))
    assert full.filled.any()
