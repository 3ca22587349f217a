"""The benchmarks at toy sizes: what they write, not how fast anything is."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from bench import contention, curves, evaluation, growth, layouts, training
from bench.__main__ import main
from bench.growth import straightness
from bench.parts import Options, Worker, in_turns
from bench.results import Goal, Row, Section, cells, columns, load, record
from bench.sizes import TINY
from bench.worker import Served

SPEEDS = {"float32": {"step": 2e9, "forward": 4e9, "backward": 1.6e9}}
SPEEDS["bfloat16"] = {name: speed / 2 for name, speed in SPEEDS["float32"].items()}


class Here:
    """A worker in this process."""

    def __init__(self, name, options, *, sizes=None, precision="32", videos=0, seed=0, full=True):
        sizes = sizes or options.sizes
        told: dict[str, Any] = {"name": name, "threads": options.threads, "sizes": sizes.to_dict()}
        told |= {"precision": precision, "videos": videos or sizes.batch, "seed": seed, "full": full}
        self.served = Served(json.loads(json.dumps(told)))

    def ask(self, **what):
        return json.loads(json.dumps(self.served.do(what)))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


@pytest.fixture
def here(monkeypatch):
    for module in (training, evaluation, layouts, curves, growth):
        monkeypatch.setattr(module, "Worker", Here)
    monkeypatch.setattr("bench.floor.Worker", Here)
    monkeypatch.setattr(growth, "FACTORS", (0.5, 1.0, 2.0))
    monkeypatch.setattr("bench.worker.products", SPEEDS.__getitem__)


def test_every_part_is_measured_printed_and_kept(here, tmp_path, capsys):
    parts = ("training", "evaluation", "layouts", "curves", "growth", "data")
    out = tmp_path / "performance.json"
    record([Section(name="other", rows=[Row(name="kept", value=1.0)])], out)
    only = [f"--only={name}" for name in parts]
    assert main(["--tiny", "--repeats=1", "--steps=3", "--threads=1", f"--out={out}", "--json", *only]) == 0
    printed = json.loads(capsys.readouterr().out)
    found = load(out)
    assert set(found) == {*parts, "other"} and set(printed) == set(parts)
    step, mixed, memory, _ = found["training"].rows
    assert step.floor == pytest.approx(found["training"].facts["flops"] / 2e9)
    assert step.share == pytest.approx(step.floor / step.value) == printed["training"]["rows"][0]["share"]
    assert mixed.floor == pytest.approx(2 * step.floor)
    assert memory.met is (memory.value <= 1500)
    assert found["evaluation"].rows[0].share == pytest.approx(
        found["evaluation"].rows[0].value / found["evaluation"].rows[0].floor
    )
    assert [len(values) for values in found["curves"].facts["losses"].values()] == [3] * 4
    for axis, grown in found["growth"].facts.items():
        assert straightness(grown["values"], grown["flops"]) > 0.999, axis
    assert found["data"].rows[0].gain(found["data"].rows[0].references["public float64 files"]) == pytest.approx(
        4, rel=0.2
    )
    assert found["training"].machine["threads"] == 1


def test_workers_are_processes_that_take_turns(capfd):
    options = Options(sizes=TINY, curve=TINY, threads=1)
    with Worker("avelzoo", options) as worker:
        seconds = in_turns({"ours": worker}, "step", 2)["ours"]
        assert len(seconds) == 2 and min(seconds) > 0
        assert worker.ask(do="memory")["peak_mb"] >= worker.ask(do="memory")["held_mb"] > 0
        with pytest.raises(SystemExit, match="status 1 when it was told"):
            worker.ask(undo="step")
    assert "KeyError" in capfd.readouterr().err


class Steady:
    """A run that takes a step every 10 ms, or less often if it shares the cores."""

    def __init__(self, how, sizes):
        self.process, self.threads = self, 1
        self.began, self.pace = time.monotonic(), 0.02 if how == "chosen" else 0.04

    @property
    def steps(self):
        return [(0.0, float(i)) for i in range(2 + int((time.monotonic() - self.began) / self.pace))]

    def count(self, moment):
        return (moment - self.began) / self.pace

    def wait(self, steps=0):
        pass

    def kill(self):
        pass


def test_throughput_of_runs_at_once_is_a_share_of_one_alone(monkeypatch):
    monkeypatch.setattr(contention, "Member", Steady)
    section = contention.measure(Options(sizes=TINY, curve=TINY, window=0.06))
    two, four, *cpu = section.rows
    assert (two.value, four.value) == (pytest.approx(200), pytest.approx(400))
    assert two.references["torch's own threads and waiting"] == pytest.approx(100)
    assert two.met and len(cpu) == 3
    assert [found["runs"] for found in section.facts["chosen"]] == [1, 2, 4]


@pytest.mark.parametrize(
    ("row", "share", "met"),
    [
        (Row(name="a", value=2.0, floor=1.0, goal=Goal(of="share", limit=0.5)), 0.5, True),
        (Row(name="a", value=2.0, floor=1.0, goal=Goal(of="value", limit=1.9)), 0.5, False),
        (Row(name="a", value=2.0, floor=4.0, better="higher", goal=Goal(of="share", limit=0.6)), 0.5, False),
        (Row(name="a", value=2.0, better="higher", goal=Goal(of="value", limit=1.9)), None, True),
        (Row(name="a", value=2.0, references={"x": 5.0}, goal=Goal(of="ratio", limit=2.5)), None, True),
        (Row(name="a", floor=1.0, goal=Goal(of="share", limit=0.5)), None, None),
    ],
)
def test_a_row_says_whether_its_goal_is_met(row, share, met):
    assert row.share == share and row.met is met
    assert Row.from_dict(json.loads(json.dumps(row.to_dict()))) == row


def test_tables_have_the_share_first_and_ratios_in_brackets():
    goal = Goal(of="share", limit=0.8)
    rows = [Row(name="step", unit="s", value=2.0, floor=1.0, before=3.0, references={"plain": 4.0}, goal=goal)]
    rows += [Row(name="rate", unit="videos/s", value=200.0, better="higher", references={"plain": 50.0})]
    assert columns(rows) == ["", "share of floor", "goal", "floor", "avelzoo", "before", "plain"]
    step, rate = cells(rows)
    assert step == ["step", "50 %", "80 %, not met", "1 s", "2 s", "3 s (1.50)", "4 s (2.00)"]
    assert rate == ["rate", "", "", "", "200 videos/s", "", "50 videos/s (4.00)"]
    assert straightness([1, 2, 3], [2.0, 4.0, 6.0]) == pytest.approx(1)
    assert straightness([1, 2, 3], [1.0, 5.0, 1.0]) < 0.1


def test_products_are_measured_in_both_directions():
    from bench.products import products

    speeds = products("float32", rows=(64,), turns=1)
    assert min(speeds.values()) > 1e8
    assert 3 / speeds["step"] == pytest.approx(1 / speeds["forward"] + 2 / speeds["backward"])
