"""Channels: declared once, read by the same object, and neither given nor read behind the configs' back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from avelzoo import (
    AnyOf,
    Channel,
    DoubleConfig,
    Encoded,
    EncoderConfig,
    GeneralTerms,
    HeadConfig,
    HeadOutput,
    SumOfTerms,
    Term,
    build,
)
from avelzoo.builtin.encoders.configs import MeanPoolConfig
from avelzoo.builtin.ge2023.recipes import double_branch
from avelzoo.channels import (
    EVENT_LOGITS,
    FUSED,
    RELEVANCE_LOGITS,
    SEGMENT_LOGITS,
    channels_of,
    met_by,
)
from avelzoo.composition.checking import check
from avelzoo.composition.terms import loss_terms
from avelzoo.errors import ChannelError, CompositionError, PluginError
from avelzoo.plugin.host import PluginHost
from avelzoo.plugin.registrar import Registrar
from avelzoo.plugin.registry import Registry
from avelzoo.testing import random_batch, random_targets
from avelzoo.testing.components import check_gives_what_it_declares, shape_fault
from avelzoo.testing.harness import SPEC, harnesses_for
from avelzoo.testing.heads import check_reads_what_it_declares
from avelzoo.testing.objectives import check_terms_read_what_they_declare

SPEED = Channel("speed", "(b t)", "how fast a picture changes")
COLOUR = Channel("colour", "(b d)", "the video's colour")
FLASH = Channel("flash", "(b)", "whether a picture flashes")
B = 3


@dataclass(frozen=True, kw_only=True)
class SpeedConfig(EncoderConfig):
    """An encoder that gives one channel, and what it says of it."""

    declared = frozenset({SPEED})
    given = (SPEED,)

    def gives(self, supervision):
        return self.declared

    def build(self, spec):
        class Inner(nn.Module):
            def __init__(self, given):
                super().__init__()
                self.inner, self.given = MeanPoolConfig(width=4).build(spec), given
                self.widths = self.inner.widths

            def begin_epoch(self, epoch, epochs):
                pass

            def forward(self, audio, visual):
                encoded = self.inner(audio, visual)
                return replace(encoded, channels=dict.fromkeys(self.given, encoded.fused[..., 0]))

        return Inner(self.given)


class SilentConfig(SpeedConfig):
    """Gives nothing of what it declares."""

    given = ()


class SecretiveConfig(SpeedConfig):
    """Gives more than it declares."""

    declared = frozenset()


class CrookedConfig(SpeedConfig):
    """Gives another shape than it declares."""

    declared, given = frozenset({FLASH}), (FLASH,)


class PeepingConfig(DoubleConfig):
    """A head that reads what it does not declare, where it is there."""

    told = frozenset()

    def reads(self, supervision):
        return self.told

    def build(self, spec, widths, supervision):
        inner = DoubleConfig.build(self, spec, widths, supervision)
        plain = inner.forward

        def forward(encoded, view):
            shift = encoded[SPEED].mean() if SPEED in encoded else 0.0
            made = plain(encoded, view)
            return replace(made, event_logits=made.event_logits + shift)

        inner.forward = forward
        return inner


class HonestConfig(PeepingConfig):
    """The same, declared."""

    told = frozenset({AnyOf(SPEED, FUSED)})


def speed_loss(output, targets, view):
    return output[SPEED].square().mean()


class SpeedTermConfig(GeneralTerms):
    """The general terms and the speed's."""

    supervisions = ("full",)
    needs = (SPEED,)

    def terms(self, supervision):
        speed = Term("speed", 0.5, self.needs, lambda spec: speed_loss, own=True)
        return (*self.general_terms(supervision), speed)


class UndeclaredTermConfig(SpeedTermConfig):
    """Its term reads what it does not declare."""

    needs = (EVENT_LOGITS,)


@pytest.fixture
def host(monkeypatch):
    """A host of its own, whose harness puts the encoder of this module first."""
    host = PluginHost(entry_points=False)
    Registrar(host.registry, plugin="test", distribution="", version="").encoder("speed", SpeedConfig)
    monkeypatch.setattr("avelzoo.testing.harness.default_host", lambda: host)
    first = {"encoder": ("speed",), "memory": ("none",), "head": ("double",), "objective": ()}
    monkeypatch.setattr("avelzoo.testing.harness._FIRST", first)
    return host


def recipe(**parts):
    return replace(double_branch("full"), encoder=SpeedConfig(), **parts)


def test_alternatives_are_met_in_their_order_and_together():
    need = AnyOf(SPEED, (COLOUR, FUSED))
    assert met_by(need, {SPEED, COLOUR, FUSED}) == (SPEED,)
    assert met_by(need, {COLOUR, FUSED}) == (COLOUR, FUSED)
    assert met_by(need, {COLOUR}) == ()
    assert channels_of(need, EVENT_LOGITS) == {SPEED, COLOUR, FUSED, EVENT_LOGITS}
    assert str(need) == "speed or colour with fused"


def test_a_record_holds_channels_in_fields_and_beside_them():
    one = torch.ones(2, 3)
    output = HeadOutput(event_logits=one, channels={SPEED: 2 * one})
    assert output[EVENT_LOGITS] is one
    assert SPEED in output
    assert SEGMENT_LOGITS not in output
    assert output.given().keys() == {EVENT_LOGITS, SPEED}
    joined = output.joined({SPEED: 3 * one, COLOUR: one, RELEVANCE_LOGITS: one})
    assert joined[SPEED].eq(2).all(), "what the head gave itself stays"
    assert joined.relevance_logits is one
    assert joined.given().keys() == {EVENT_LOGITS, RELEVANCE_LOGITS, SPEED, COLOUR}


def test_an_absent_channel_is_one_clear_error():
    one = torch.ones(1, 1, 1)
    with pytest.raises(ChannelError, match="the channel 'speed' is read, but no part gave it") as fault:
        Encoded(fused=one, audio=one, visual=one)[SPEED]
    assert "how fast a picture changes" in fault.value.expected
    assert fault.value.found == "fused, audio, visual"


def test_the_model_joins_what_every_part_gave():
    model = build(recipe(objective=SpeedTermConfig()), SPEC).train()
    step = model(random_batch(SPEC, B), random_targets(SPEC, B))
    assert {SPEED, FUSED, EVENT_LOGITS} <= step.output.given().keys()
    want = sum(model.objective.weights[name] * value for name, value in step.terms.items())
    torch.testing.assert_close(step.loss, want)
    assert model.objective.weights["speed"] == 0.5
    assert SPEED in model.eval().predict(random_batch(SPEC, B), None)


def test_a_term_says_what_would_give_its_input(host):
    swapped = replace(recipe(objective=SpeedTermConfig()), encoder=MeanPoolConfig())
    reason = {state.name: state.reason for state in loss_terms(swapped, host.registry)}["speed"]
    assert reason == "needs speed; given by encoder speed"
    with pytest.raises(CompositionError, match="'speed' of the objective 'SpeedTermConfig' has no input") as fault:
        check(swapped, host.registry)
    assert "--encoder speed" in fault.value.fix


def test_a_term_whose_input_was_promised_and_is_absent_stops_training():
    model = build(replace(recipe(objective=SpeedTermConfig()), encoder=SilentConfig()), SPEC).train()
    with pytest.raises(ChannelError, match="the loss term 'speed' has no input: no part gave speed"):
        model(random_batch(SPEC, B), random_targets(SPEC, B))
    late = SumOfTerms([Term("speed", 1.0, (SPEED,), lambda spec: speed_loss, late=True)], SPEC)
    assert late(HeadOutput(), random_targets(SPEC, B), None) == {}


def test_conformance_finds_what_is_declared_and_not_given_or_the_other_way_round(host):
    check_gives_what_it_declares(SpeedConfig())
    with pytest.raises(AssertionError, match="declared in `gives` but not given under full supervision: speed"):
        check_gives_what_it_declares(SilentConfig())
    with pytest.raises(AssertionError, match="given but not declared in `gives` under full supervision: speed"):
        check_gives_what_it_declares(SecretiveConfig())
    with pytest.raises(AssertionError, match=r"the channel 'flash' is \(3, 5\), not \(b\): 2 dimensions"):
        check_gives_what_it_declares(CrookedConfig())


@pytest.mark.parametrize(
    ("shape", "found", "fault"),
    [
        ("(b t)", (3, 5), ""),
        ("(b t+1 2)", (3, 6, 2), ""),
        ("(b c)", (3, 77), ""),
        ("(b t n+1)", (3, 5, 4), "n+1 is 5"),
        ("(b t+1 2)", (3, 6, 3), "2 is 2"),
        ("(b t)", (3,), "1 dimensions"),
    ],
)
def test_shapes_are_read_in_the_notation(shape, found, fault):
    assert shape_fault(Channel("x", shape, ""), found, {"b": 3, "t": 5, "n": 4}) == fault


def test_conformance_finds_what_a_head_reads_undeclared(host):
    check_reads_what_it_declares(HonestConfig())
    with pytest.raises(AssertionError, match="does not declare in `reads`: they change event_logits"):
        check_reads_what_it_declares(PeepingConfig())


def test_conformance_finds_what_a_term_reads_undeclared(host):
    check_terms_read_what_they_declare(SpeedTermConfig())
    with pytest.raises(AssertionError, match="term 'speed' reads what it does not declare in `needs`"):
        check_terms_read_what_they_declare(UndeclaredTermConfig())


def test_two_channels_of_one_name_are_refused_at_registration():
    class OtherConfig(SpeedConfig):
        declared = frozenset({Channel("speed", "(b)", "of sound")})

    class HouseConfig(SpeedConfig):
        declared = frozenset({Channel("embedding", "(b)", "another one")})

    registry = Registry()
    Registrar(registry, plugin="one", distribution="", version="").encoder("speed", SpeedConfig)
    other = Registrar(registry, plugin="two", distribution="", version="")
    with pytest.raises(PluginError, match="two different channels have one name") as fault:
        other.encoder("other", OtherConfig)
    assert fault.value.where == "two/other"
    assert "of sound" in fault.value.found
    assert "how fast a picture changes" in fault.value.found
    with pytest.raises(PluginError, match="two different channels have one name"):
        other.encoder("house", HouseConfig)
    other.encoder("speed", SpeedConfig)
    assert registry.channels["speed"] == SPEED


def test_two_channels_of_one_name_are_refused_in_a_composition(host):
    class OtherHead(DoubleConfig):
        def gives(self, supervision):
            return super().gives(supervision) | {Channel("speed", "(b)", "of sound")}

    with pytest.raises(CompositionError, match="the head 'OtherHead' gives a channel's name to another one"):
        check(recipe(head=OtherHead()), host.registry)


def test_two_parts_that_give_one_channel_are_refused(host):
    class Again(DoubleConfig):
        def gives(self, supervision):
            return super().gives(supervision) | {SPEED}

    with pytest.raises(
        CompositionError, match="the encoder 'speed' and the head 'Again' both give the channel 'speed'"
    ):
        check(recipe(head=Again()), host.registry)


def test_a_head_without_the_channel_it_reads_is_refused(host):
    class Needy(HeadConfig):
        def reads(self, supervision):
            return frozenset({COLOUR})

        def build(self, spec, widths, supervision):
            raise NotImplementedError

    with pytest.raises(CompositionError, match="the head 'Needy' reads colour, which no other part gives"):
        check(recipe(head=Needy()), host.registry)


def test_a_term_with_state_is_a_part_of_the_model():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("steps", torch.zeros(()))

        def forward(self, output, targets, view):
            self.steps += 1
            return output[EVENT_LOGITS].sum()

    objective = SumOfTerms([Term("counting", 2.0, (EVENT_LOGITS,), lambda spec: Counting())], SPEC)
    objective(HeadOutput(event_logits=torch.ones(B, 3)), random_targets(SPEC, B), None)
    assert objective.state_dict() == {"stateful.counting.steps": torch.ones(())}


@pytest.mark.parametrize("method", ["gives", "reads"])
def test_what_is_declared_is_channels(method):
    registrar = Registrar(Registry(), plugin="p", distribution="", version="")
    config = type("TextConfig", (SpeedConfig,), {method: lambda self, supervision: {"speed"}})
    with pytest.raises(PluginError, match=f"`{method}` of the encoder declares what is no channel") as fault:
        registrar.encoder("text", config)
    assert fault.value.found == "'speed'"


def test_a_head_that_gives_nothing_is_told_so():
    class NothingConfig(DoubleConfig):
        """Declares nothing."""

        def gives(self, supervision):
            return frozenset()

    with pytest.raises(CompositionError, match="no registered parts fit this head under full") as fault:
        harnesses_for(NothingConfig())
    assert fault.value.found.endswith("gives nothing")
