"""What `avelzoo profile` counts."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from avelzoo import FeatureSpec, build
from avelzoo.builtin.encoders.configs import MeanPoolConfig
from avelzoo.engine.compiling import compile_model
from avelzoo.plugin.default import default_host
from avelzoo.profiling import profile
from avelzoo.profiling.clock import Clock
from avelzoo.profiling.flops import count_flops
from avelzoo.system import products
from avelzoo.system.products import product_speeds
from avelzoo.testing import random_batch, random_targets

SPEC = FeatureSpec(segments=4, audio_dim=6, grid=(2, 2), visual_dim=8, categories=("bark", "bell", "horn"))
CPU = torch.device("cpu")
RECIPES = default_host().registry


def recipe(name, **memory):
    found = RECIPES.get("recipe", name).target("full")
    return replace(found, memory=replace(found.memory, **memory)) if memory else found


def test_parameters_and_arithmetic_are_what_counting_by_hand_gives():
    cost = profile(recipe("double-branch"), SPEC, batch_size=2, repeats=1)
    model = build(recipe("double-branch"), SPEC)
    assert sum(cost.parameters.values()) == sum(p.numel() for p in model.parameters())
    twice = profile(recipe("double-branch"), SPEC, batch_size=4, repeats=1)
    assert twice.train_flops == pytest.approx(2 * cost.train_flops, rel=1e-6)
    assert twice.eval_flops == pytest.approx(2 * cost.eval_flops, rel=1e-6)
    assert 2.5 < cost.train_flops / cost.eval_flops < 3.1, "backward is about twice forward"


def test_operations_are_those_of_the_formulas():
    linear, lstm = torch.nn.Linear(3, 5), torch.nn.LSTM(8, 16, batch_first=True, bidirectional=True)
    b, t, gates, keys = 3, 5, 4 * 16, torch.zeros(2, 4, 6, 8)
    assert count_flops(lambda: linear(torch.zeros(7, 3))) == 2 * 7 * 3 * 5
    assert count_flops(lambda: lstm(torch.zeros(b, t, 8))) == 2 * 2 * b * t * gates * (8 + 16)
    assert count_flops(lambda: scaled_dot_product_attention(keys, keys, keys)) == 2 * 2 * 2 * 4 * 6 * 6 * 8
    assert torch.backends.mkldnn.enabled == torch.backends.mkldnn.is_available()


def test_a_banks_encoding_grows_with_its_slots():
    costs = [profile(recipe("ead-b", size=size), SPEC, batch_size=4, repeats=1) for size in (2, 4)]
    growth = costs[1].view_flops / costs[0].view_flops
    assert 1.9 < growth < 2.2, "attention over time adds a little"
    assert set(costs[0].train_parts) == {
        "encoder",
        "memory",
        "memory encoding",
        "head",
        "objective",
        "backward",
        "optimizer",
        "other",
    }
    assert costs[0].train_seconds == pytest.approx(sum(costs[0].train_parts.values()))
    assert 0 < costs[0].floor_share < 1


def test_watching_changes_nothing():
    torch.manual_seed(0)
    model = build(recipe("ead-b", size=2), SPEC).eval()
    batch, targets = random_batch(SPEC, 3), random_targets(SPEC, 3)
    other = build(recipe("ead-b", size=2), SPEC).eval()
    other.load_state_dict(model.state_dict())
    clock = Clock(CPU)
    with clock.watching(model), clock.part("other"):
        watched = model(batch, targets).loss
    assert torch.equal(watched, other(batch, targets).loss)
    assert list(model.state_dict()) == list(other.state_dict())
    before = dict(clock.seconds)
    model(batch, targets)
    assert clock.seconds == before


def test_parts_do_not_count_each_other(monkeypatch):
    now = iter([0.0, 1.0, 3.0, 6.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    clock = Clock(CPU)
    with clock.part("whole"), clock.part("inner"):
        pass
    assert clock.seconds == {"whole": 1.0 + 3.0, "inner": 2.0}


def test_products_have_speeds_and_leave_the_generators_alone():
    state = torch.get_rng_state()
    types = [torch.float32, torch.bfloat16]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        speeds = product_speeds(CPU, types, shapes=[(8, 8, 8)], seconds=0.001)
    assert list(speeds) == types
    assert all(0 < speed < 1e15 for speed in speeds.values())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("worked", "speed"), [(3.6, 5e9), (1.5, 4 * 2e9)])
def test_one_thread_counts_for_all_when_other_programs_take_the_cores(monkeypatch, worked, speed):
    """Four threads in one second: 3.6 s of CPU time are their own work, 1.5 s mean that they waited for cores."""
    used = []

    def measured(*_given):
        used.append(torch.get_num_threads())
        return {torch.float32: 5e9 if used[-1] == 4 else 2e9}

    monkeypatch.setattr(products, "_measured", measured)
    monkeypatch.setattr("time.perf_counter", iter([0.0, 1.0]).__next__)
    monkeypatch.setattr("time.process_time", iter([0.0, worked]).__next__)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        assert product_speeds(CPU, [torch.float32]) == {torch.float32: speed}
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)
    assert used == ([4] if worked == 3.6 else [4, 1])


def test_products_of_a_slow_device_are_smaller_and_those_not_reached_do_not_count(monkeypatch):
    """A clock on which every product takes a tenth of a second: the time is over after the first one."""
    ticks = (i / 10 for i in range(10**6))
    monkeypatch.setattr("time.perf_counter", ticks.__next__)
    monkeypatch.setattr(products, "_timer", lambda _device: lambda action: (action(), 0.1)[1])
    speeds = products._measured(CPU, [torch.float32, torch.float64], [(512, 32, 32), (512, 64, 64)], 0.05)
    assert set(speeds) == {torch.float32, torch.float64}
    assert speeds[torch.float32] == pytest.approx(2 * 64 * 32 * 32 / 0.1)


def test_the_command_tells_it_all():
    command = [sys.executable, "-m", "avelzoo", "profile", "ead-b", "--sizes", "dataset", "--batch-size", "2"]
    command += ["--repeats", "1"]
    told = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    cost = json.loads(told.stdout)
    assert {"parameters_total", "train_flops", "train_seconds", "train_parts", "floor_share", "peak_memory_mb"} <= set(
        cost
    )
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "backward" in shown
    assert "GFLOP/s" in " ".join(shown.split())
    assert "precision 32" in shown


@pytest.mark.parametrize("precision", ["64", "bf16-mixed"])
def test_any_precision_can_be_measured(precision):
    mixed = recipe("ead-b", size=2)
    mixed = replace(mixed, compute=replace(mixed.compute, precision=precision))
    cost = profile(mixed, SPEC, batch_size=2, repeats=1)
    plain = profile(recipe("ead-b", size=2), SPEC, batch_size=2, repeats=1)
    assert (cost.precision, plain.precision) == (precision, "32")
    assert cost.train_flops == plain.train_flops


def test_a_device_that_is_not_there():
    command = [sys.executable, "-m", "avelzoo", "profile", "ead-b", "--device", "cuda:9"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "this machine has no device 'cuda:9'" in told.stderr


def test_what_a_run_compiles_is_measured_compiled(monkeypatch):
    used = []

    def compiling(model, example, *, mode):
        found = compile_model(model, example, mode=mode, backend="eager")
        compiled = model.encoder._compiled_call_impl
        model.encoder._compiled_call_impl = lambda *args: used.append(compiled) or compiled(*args)
        return found

    monkeypatch.setattr("avelzoo.profiling.cost.compile_model", compiling)
    plain = recipe("double-branch")
    wanted = replace(plain, encoder=MeanPoolConfig(), compute=replace(plain.compute, compile=True))
    cost = profile(wanted, SPEC, batch_size=2, repeats=2)
    assert cost.compiled
    assert len(used) == 7, "the memory filled, three steps and three evaluations: one of each is not counted"
    bare = profile(replace(wanted, compute=plain.compute), SPEC, batch_size=2, repeats=1)
    assert not bare.compiled
    assert bare.attention == (), "nothing here attends"
    assert (cost.train_flops, cost.eval_flops) == (bare.train_flops, bare.eval_flops)


def test_a_clock_stands_between_the_parts_alone():
    model = build(recipe("double-branch"), SPEC)
    own = [model.encoder, model.memory, model.head, model.objective]
    with Clock(CPU).watching(model):
        assert model.encoder is not own[0]
        assert model.objective.weights is own[3].weights
        with pytest.raises(AttributeError, match="nothing"):
            _ = model.head.nothing
    assert [model.encoder, model.memory, model.head, model.objective] == own
