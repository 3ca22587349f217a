"""The benchmarks' reference computes what avelzoo computes: only then is a ratio of times worth something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from bench.plain import LAYOUTS
from bench.reference import BUFFERS
from bench.sizes import TINY, Videos, full_bank
from bench.subjects import Ours, Plain, copy_weights

from avelzoo.builtin.ge2023.official import Ge2023

STILL = replace(TINY, dropout=False)


@pytest.mark.parametrize("full", [True, False], ids=["full bank", "empty bank"])
def test_steps_and_answers_are_the_same(full):
    """Losses, gradients, bank and answers over several steps, dropout off."""
    videos = Videos(STILL, 12)
    plain, ours = Plain(STILL), Ours(STILL, precision="64")
    if full:
        plain.fill(STILL)
        ours.fill(STILL)
    copy_weights(plain.model.double(), ours.model.double())
    videos.audio, videos.visual = videos.audio.double(), videos.visual.double()
    before = plain.model.state_dict()["score"].clone()
    for step in range(4):
        indices = np.arange(3 * step, 3 * step + 3)
        assert ours.step(videos, indices) == pytest.approx(plain.step(videos, indices), rel=1e-6)
        state = ours.model.memory.state_dict()
        for name in BUFFERS:
            assert torch.allclose(state[f"slots.{name}"].double(), plain.model.get_buffer(name).double()), name
    assert not torch.equal(before, plain.model.get_buffer("score")), "segments have entered"
    answers = plain.evaluate(videos)
    assert np.array_equal(answers, ours.evaluate(videos))
    plain.every_batch = True
    assert np.array_equal(answers, plain.evaluate(videos))


def test_gradients_are_the_same():
    videos = Videos(STILL, 3)
    plain, ours = Plain(STILL), Ours(STILL)
    plain.fill(STILL)
    ours.fill(STILL)
    batch, targets = videos.fetch(np.arange(3))
    plain.model.train()(batch, targets).backward()
    ours.model.train()(batch, targets).loss.backward()
    own = dict(ours.model.named_parameters())
    for name, value in plain.model.named_parameters():
        got = own[Ge2023().rename(name)].grad
        assert got is not None
        assert torch.allclose(got, value.grad, atol=1e-5), name


def test_a_full_bank_is_sorted_and_no_batch_holds_its_keys():
    bank = full_bank(TINY)
    assert bool((bank["score"].diff(dim=1) <= 0).all())
    assert int(bank["key"].min()) > 10**12


@pytest.mark.parametrize("layout", LAYOUTS[1:])
def test_every_layout_computes_the_same(layout):
    videos = Videos(STILL, 3)
    chosen, other = Plain(STILL), Plain(STILL, layout=layout)
    chosen.fill(STILL)
    other.model.load_state_dict(chosen.model.state_dict())
    batch, targets = videos.fetch(np.arange(3))
    losses = [plain.model.train()(batch, targets) for plain in (chosen, other)]
    for loss in losses:
        loss.backward()
    assert torch.allclose(*losses)
    for name, value in chosen.model.named_parameters():
        grad = other.model.get_parameter(name).grad
        assert value.grad is not None and grad is not None
        assert torch.allclose(value.grad, grad, atol=1e-5), name


def test_autocast_steps_stay_near_float32():
    videos = Videos(STILL, 3)
    losses = []
    for precision in ("32", "bf16-mixed"):
        plain = Plain(STILL, precision)
        plain.fill(STILL)
        losses.append([plain.step(videos, np.arange(3)) for _ in range(2)])
        assert plain.evaluate(videos).shape == (3, STILL.segments)
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
