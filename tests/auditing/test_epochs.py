"""Accuracies per epoch: chosen on val against best on test."""

from __future__ import annotations

from pathlib import Path

import pytest

from avelzoo.auditing import audit
from avelzoo.auditing.epochs import Optimism, read_epochs
from avelzoo.errors import DataError

FILES = Path(__file__).parent / "files"


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder / name


FORMS = {
    "lines.jsonl": '{"epoch": 1, "val": 70, "test": 71}\n{"epoch": 2, "val": 74, "test": 72}\n'
    '{"epoch": 3, "val": 74, "test": 75}\n{"epoch": 4, "val": 73, "test": 74}\n',
    "fractions.csv": "epoch,val,test\n1,.70,.71\n2,.74,.72\n3,.74,.75\n4,.73,.74\n",
    "without-numbers.csv": "val;test\n70;71\n74;72\n74;75\n73;74\n",
    "metrics.jsonl": '{"epoch": 1, "val": {"segment_accuracy": 0.7}, "test_segment_accuracy": 0.71}\n'
    '{"epoch": 2, "val": {"segment_accuracy": 0.74}, "test_segment_accuracy": 0.72}\n'
    '{"epoch": 3, "val": {"segment_accuracy": 0.74}, "test_segment_accuracy": 0.75}\n'
    '{"epoch": 4, "val": {"segment_accuracy": 0.73}, "test_segment_accuracy": 0.74}\n',
}


@pytest.mark.parametrize("name", FORMS)
def test_the_first_best_epoch_of_val(name: str, tmp_path: Path) -> None:
    """Val is best in epochs 2 and 3, the first counts: 72 on test. Test is best in epoch 3: 75. Gap: 3 points."""
    found = read_epochs(write(tmp_path, name, FORMS[name]))
    test = (0.71, 0.72, 0.75, 0.74)
    expected = Optimism(epochs=4, val_epoch=2, at_val=0.72, test_epoch=3, best=0.75, last=0.74, test=test, unit=0.01)
    assert found == expected
    assert found.gap == pytest.approx(0.03)


def test_verdict(tmp_path: Path) -> None:
    path = write(tmp_path, "lines.jsonl", FORMS["lines.jsonl"])
    found = audit(FILES / "names.jsonl", data=FILES / "data", epochs=path)
    said = next(sentence for sentence in found.verdict if "Choosing" in sentence)
    assert (
        said
        == "Choosing the epoch on test (3, 75.0 %) instead of val (2, 72.0 %) gains 3.0 points; but no epoch has the"
        " predictions' 67.50 % on test: the two may be of different runs."
    )
    path = write(tmp_path, "same.csv", "epoch,val,test\n1,70,71\n")
    assert "gains nothing: both score 71.0 %" in " ".join(audit(data=FILES / "data", epochs=path).verdict)
    path = write(tmp_path, "fitting.csv", "epoch,val,test\n1,70,67.5\n2,71,69.12\n")
    assert "different runs" not in " ".join(audit(FILES / "names.jsonl", data=FILES / "data", epochs=path).verdict)
    assert found.to_dict()["optimism"]["gap"] == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("e.jsonl", "", "no epoch has accuracies"),
        ("e.jsonl", "{", "line 1.*not JSON"),
        ("e.jsonl", "[1]", "line 1.*not a JSON object"),
        ("e.jsonl", '{"epoch": 1, "val": 70}', "line 1.*lacks an accuracy"),
        ("e.jsonl", '{"epoch": 1, "val": true, "test": 1}', "line 1.*lacks an accuracy"),
        ("e.jsonl", '{"epoch": 1, "val": NaN, "test": 1}', "line 1.*lacks an accuracy"),
        ("e.jsonl", '{"epoch": "x", "val": 1, "test": 1}', "line 1.*number of an epoch"),
        ("e.jsonl", '{"epoch": 1, "val": 70, "test": 171}', "line 1.*out of range"),
        ("e.jsonl", '{"epoch": 1, "val": {"segment_accuracy": 0.7}, "test_segment_accuracy": null}', "no epoch has"),
        ("e.csv", "", "empty"),
        ("e.csv", "epoch,val\n1,70\n", "line 1.*wrong header"),
        ("e.csv", "epoch,val,test\n1,70\n", "line 2.*number of fields"),
        ("e.csv", "epoch,val,test\n1,70,high\n", "line 2.*lacks an accuracy"),
    ],
)
def test_damaged(name: str, text: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_epochs(write(tmp_path, name, text))
    said = " ".join(str(caught.value).split())
    assert all(piece in said for piece in expected.split(".*")), said
