"""The benchmarks at toy sizes: what they write, not how fast anything is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bench import curves, evaluation, growth, training
from bench.__main__ import main
from bench.growth import straightness
from bench.parts import Options, Worker, in_turns, ratio
from bench.sizes import TINY
from bench.worker import Served, products


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
    for module in (training, evaluation, curves, growth):
        monkeypatch.setattr(module, "Worker", Here)
    monkeypatch.setattr("bench.floor.Worker", Here)
    monkeypatch.setattr("bench.worker.products", lambda dtype: {"float32": 2e9, "bfloat16": 1e9}[dtype])


def test_the_table_the_json_and_the_plot(here, tmp_path, capsys):
    sections = [f"--only={name}" for name in ("training", "evaluation", "curves", "growth", "data")]
    assert main(["--tiny", "--repeats=1", "--steps=3", "--threads=1", f"--out={tmp_path}", *sections]) == 0
    found = json.loads((tmp_path / "bench.json").read_text())["sections"]
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
    step, mixed, memory, _ = found["training"]["rows"]
    figures = found["training"]["figures"]
    assert step["floor"] == pytest.approx(figures["flops"] / 2e9)
    assert mixed["floor"] == pytest.approx(2 * step["floor"])
    assert step["ratio"] == pytest.approx(step["reference"] / step["ours"])
    assert memory["ratio"] == pytest.approx(memory["reference"] / memory["ours"])
    assert [len(values) for values in found["curves"]["figures"]["losses"].values()] == [3] * 4
    for axis, grown in found["growth"]["figures"].items():
        assert straightness(grown["values"], grown["flops"]) > 0.999, axis
    stored, *_ = found["data"]["rows"]
    assert stored["ratio"] == pytest.approx(4, rel=0.2)
    printed = capsys.readouterr().out
    assert all(row["name"].split(",")[0] in printed for rows in found.values() for row in rows["rows"])


def test_workers_are_processes_that_take_turns(capfd):
    options = Options(sizes=TINY, curve=TINY, threads=1)
    with Worker("avelzoo", options) as worker:
        seconds = in_turns({"ours": worker}, "step", 2)["ours"]
        assert len(seconds) == 2 and min(seconds) > 0
        assert worker.ask(do="memory")["peak_mb"] >= worker.ask(do="memory")["held_mb"] > 0
        with pytest.raises(SystemExit, match="status 1 when it was told"):
            worker.ask(undo="step")
    assert "KeyError" in capfd.readouterr().err


def test_ratios_are_medians_over_the_turns():
    assert ratio([2.0, 9.0, 4.0], [1.0, 1.0, 2.0]) == 2.0
    assert straightness([1, 2, 3], [2.0, 4.0, 6.0]) == pytest.approx(1)
    assert straightness([1, 2, 3], [1.0, 5.0, 1.0]) < 0.1


def test_the_products_measured_are_products():
    assert products("float32", rows=512) > 1e8
