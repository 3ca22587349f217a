"""Signatures of runs and of means over runs."""

from __future__ import annotations

from avelzoo.comparing.signing import joint_signature, signature_of
from avelzoo.metrics.signature import Signature, data_hash
from avelzoo.sweeps.results import Cell, SweepResult
from tests.comparing.folders import made_truth

TRUTH = made_truth(8)
IDS = [f"v{i}" for i in range(8)]


def slots(**options: object) -> dict[str, object]:
    return {"dataset": {"name": "avelzoo/ave", "options": options}}


def test_a_signature_says_how_a_score_was_measured() -> None:
    found = signature_of(slots(labels="labels"), "full", "val", (IDS, TRUTH), interval="video-bootstrap-1k")
    expected = f"ave-val8|full|labels=labels|sel=val|seeds=1|ci=video-bootstrap-1k|avelzoo={found.version}"
    assert str(found) == f"{expected}|data={data_hash(IDS, TRUTH)}"
    weak = signature_of(slots(weak_protocol="soft-duration"), "weak", "test", (IDS, TRUTH), seeds=5)
    assert (weak.supervision, weak.labels, weak.seeds, weak.interval) == ("weak:soft-duration", "truth", 5, "?")


def test_runs_of_a_cell_have_one_signature() -> None:
    one = Signature(dataset="ave", split="test", videos=402, supervision="full", seeds=1, interval="x", version="1")
    other = Signature(dataset="ave", split="test", videos=402, supervision="full", seeds=1, interval="x", version="2")
    joint = joint_signature([str(one), str(other)])
    assert joint is not None
    assert joint == "ave-test402|full|labels=?|sel=?|seeds=2|ci=none|avelzoo=?|data=?"
    assert joint_signature([str(one), None]) is None
    assert joint_signature([]) is None


def test_a_table_of_a_sweep_has_each_signature_once() -> None:
    text = "ave-test402|full|labels=?|sel=val|seeds=2|ci=none|avelzoo=1|data=?"
    cells = tuple(Cell({"x": i}, (0, 1), ("a", "b"), {}, signature=text) for i in range(3))
    table = str(SweepResult(path="sweep", axes=("x",), cells=cells))
    assert table.count(text) == 1
    assert SweepResult(path="sweep", axes=("x",), cells=cells).to_dict()["cells"][2]["signature"] == text
