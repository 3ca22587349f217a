"""What parts return is held against their contracts, with the part's place in the message."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from avelzoo import Encoded, GeneralTerms, HeadOutput, MeanPoolConfig, Term, Widths, build, recipes
from avelzoo.channels import Channel
from avelzoo.composition import returned
from avelzoo.errors import PluginError
from avelzoo.testing import random_batch, random_targets
from avelzoo.testing.harness import SPEC

RECIPE = replace(recipes["ead-b"]("full"), encoder=MeanPoolConfig(width=4))


class Faulty(nn.Module):
    """An encoder whose output is whatever a test makes of the right one."""

    def __init__(self, spoil):
        super().__init__()
        self.widths, self.spoil = Widths(fused=4, audio=4, visual=4), spoil
        self.inner = MeanPoolConfig(width=4).build(SPEC)

    def forward(self, audio, visual):
        return self.spoil(self.inner(audio, visual))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda e: e.fused, "a tensor (3, 5, 4) of float32"),
        (lambda e: (e.fused, e.audio, e.visual), "a tuple"),
        (lambda e: None, "None"),
        (lambda e: replace(e, fused=e.fused[:, :2]), "fused: a tensor (3, 2, 4) of float32"),
        (lambda e: replace(e, audio=e.audio[..., :1]), "audio: a tensor (3, 5, 1) of float32"),
        (lambda e: replace(e, visual=e.visual.long()), "visual: a tensor (3, 5, 4) of int64"),
        (lambda e: Encoded(fused=None, audio=e.audio, visual=e.visual), "fused: None"),
    ],
)
def test_an_encoder_that_returns_something_else(spoil, found, masked):
    model = build(RECIPE, SPEC)
    model.encoder = Faulty(spoil)
    batch = random_batch(SPEC, 3, 5)
    if masked:
        batch = replace(batch, mask=torch.ones(3, 5, dtype=torch.bool))
    with pytest.raises(PluginError, match=r"`Faulty\.forward` returns something else") as fault:
        model.predict(batch, None)
    assert fault.value.found == found
    assert "test_returned.py, line" in fault.value.where


def test_other_parts_that_return_something_else():
    batch = random_batch(SPEC, 3, 5)
    targets = random_targets(SPEC, 3, 5)
    for slot, method, call in (
        ("head", "forward", lambda model: model.predict(batch, model.view())),
        ("head", "decode", lambda model: model.decode(HeadOutput())),
        ("memory", "read", lambda model: model.view()),
        ("memory", "observe", lambda model: model(batch, targets)),
    ):
        model = build(RECIPE, SPEC)
        setattr(getattr(model, slot), method, lambda *_: 3)
        with pytest.raises(PluginError, match=rf"\.{method}` returns something else") as fault:
            call(model)
        assert fault.value.found == "a int"


def test_a_term_that_is_no_scalar():
    class Vector(GeneralTerms):
        """A term per video."""

        def terms(self, supervision):
            return (*self.general_terms(supervision), Term("vector", 1.0, needs=(), build=lambda spec: per_video))

    def per_video(output, targets, view):
        return torch.zeros(3)

    model = build(replace(RECIPE, objective=Vector()), SPEC)
    with pytest.raises(PluginError, match="the loss term 'vector' returns no scalar") as fault:
        model(random_batch(SPEC, 3, 5), random_targets(SPEC, 3, 5))
    assert (fault.value.found, "test_returned.py" in fault.value.where) == ("a tensor (3,) of float32", True)


def test_what_a_config_builds():
    with pytest.raises(PluginError, match="the head's config builds no module"):
        returned.built("head", None)
    with pytest.raises(PluginError, match="does not say how wide"):
        returned.built("encoder", nn.Linear(1, 1))


def test_a_memory_gives_any_channel(monkeypatch):
    speed = Channel("speed", "(b t)", "how fast the video changes")
    model = build(RECIPE, SPEC)
    own = model.memory.observe
    monkeypatch.setattr(model.memory, "observe", lambda *args: {**own(*args), speed: torch.ones(3, 5)})
    assert model(random_batch(SPEC, 3, 5), random_targets(SPEC, 3, 5)).output[speed].equal(torch.ones(3, 5))
    monkeypatch.setattr(model.memory, "observe", lambda *_: {"speed": torch.ones(3, 5)})
    with pytest.raises(PluginError, match=r"\.observe` returns something else") as fault:
        model(random_batch(SPEC, 3, 5), random_targets(SPEC, 3, 5))
    assert fault.value.found == "'speed': a tensor (3, 5) of float32"
