"""Pages and pictures show the figures of the results file."""

from __future__ import annotations

import pytest
from bench.machine import described, machine
from bench.results import Goal, Row, Section
from docs_performance import performance_pages
from pictures import cost

STEP = Row(name="training step, float32", unit="s", value=2.0, floor=1.0, goal=Goal(of="share", limit=0.8))
SPEEDS = {"step": 2e11, "forward": 4e11, "backward": 1.5e11}
FACTS = {"products": {"32": SPEEDS, "bf16-mixed": SPEEDS}}


@pytest.fixture
def docs(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "plain.md").write_text("# Plain\n", "utf-8")
    (tmp_path / "sub" / "page.md").write_text(
        "before\n<!-- bench: training -->\nold\n<!-- end -->\n\n<!-- bench: nothing -->\n<!-- end -->\nafter\n", "utf-8"
    )
    return tmp_path


def test_blocks_of_all_pages_get_the_present_figures(docs):
    section = Section(name="training", rows=[STEP], facts=FACTS, machine=machine(2) | {"load": 40.0, "cores": 2})
    (text,) = performance_pages(docs, {"training": section}).values()
    assert "| training step, float32 | **50 %** | 80 %, not met | 1 s | 2 s |" in text
    assert "float32 200 GFLOP/s (forward 400, backward 150)" in text
    assert "Other programs used the cores" in text
    assert "--only nothing" in text and "old" not in text
    assert text.startswith("before\n") and text.endswith("after\n")
    (docs / "sub" / "page.md").write_text(text, "utf-8")
    assert list(performance_pages(docs, {"training": section}).values()) == [text]


def test_a_block_without_an_end_is_refused(docs):
    (docs / "page.md").write_text("<!-- bench: training -->\n", "utf-8")
    with pytest.raises(SystemExit, match=r"page.md: a block .* has no '<!-- end -->'"):
        performance_pages(docs, {})


def test_the_machine_is_described_in_a_sentence(monkeypatch):
    monkeypatch.setattr("bench.machine.instructions", lambda: ("Some(R) Processor", ("amx_bf16", "avx512_bf16")))
    found = machine(1)
    assert (found["processor"], found["bf16"]) == ("Some Processor", "AMX")
    facts = {"processor": "Some", "cores": 2, "instructions": "AVX512", "bf16": "AMX", "torch": "2.9.1+cpu"}
    facts |= {"threads": 1, "date": "2026-11-28", "load": 0.5}
    assert described(facts) == (
        "Some, 2 cores, AVX512, bf16 matrix units (AMX); PyTorch 2.9.1, 1 thread per process, 2026-11-28, "
        "load 0.5 before the measurement"
    )
    assert described({"text": "Another machine"}) == "Another machine"


def test_pictures_show_shares_goals_and_seconds(monkeypatch):
    monkeypatch.setattr(cost, "load", lambda: {"training": Section(name="training", rows=[STEP])})
    assert "training step, float32: 50 %, goal 80 %" in cost.shares()
    assert "float32: matrix products alone 1 s, avelzoo 2 s" in cost.steps()
