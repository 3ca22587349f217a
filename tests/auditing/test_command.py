"""`avelzoo audit` as users call it: tables, JSON, files, run folders, signatures; and without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from avelzoo import AveConfig
from avelzoo.auditing import audit
from avelzoo.cli import main
from avelzoo.data.making.simulate import Simulation, simulate
from avelzoo.metrics import Signature
from tests.comparing.folders import made_truth, make_run

FILES = Path(__file__).parent / "files"
DATA = FILES / "data"
NAMES = str(FILES / "names.jsonl")


def test_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", NAMES, "--data", str(DATA), "--claim", "67.5"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    for said in (
        "segment accuracy 67.5 27 of 40",
        "floor: the true category in every segment 60.0",
        "floor: the true category in its average window 72.5",
        "video category accuracy 50.0",
        "segment accuracy on the other 3 73.3",
        "k of N that prints as 67.5 %",
        "Verdict",
        "ave-test4|?|labels=annotations|sel=?|seeds=?",
    ):
        assert said in out, out
    assert "AUROC" not in out  # ids alone have no score of event against background
    assert "calibration" not in out


def test_json_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["audit", NAMES, str(FILES / "truth.jsonl"), "--data", str(DATA), "--claim", "70"]
    assert main([*words, "--json", "--out", str(tmp_path / "audit.json")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["whole"]["right"] == 27
    assert found["whole"]["interval"]["low"] < 0.675 < found["whole"]["interval"]["high"]
    assert found["labels"]["true_category"] == 0.6
    assert found["claim"]["reach"][0]["rounded"] == [28, 28]  # 27.8 to 28.2 of 40
    assert found["comparison"]["pairs"][0]["p"] == 0.25
    assert Signature.parse(found["signature"]).videos == 4
    assert json.loads((tmp_path / "audit.json").read_text("utf-8")) == found
    assert main([*words, "--out", str(tmp_path / "audit.txt")]) == 0
    shown = capsys.readouterr().out
    assert "Comparison" in shown
    assert "67.5   27 of 40" in (tmp_path / "audit.txt").read_text("utf-8")


def test_labels_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--data", str(DATA), "--split", "val"]) == 0
    out = capsys.readouterr().out
    assert "Background in every segment scores 30.0 % on val." in out  # 6 of 20
    assert "ave-val2|" in out


def test_a_signature_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    text = "ave-test402|full|labels=annotations|sel=test|seeds=?|ci=none|avelzoo=0.1.0|data=3f2a91bc"
    assert main(["audit", "--parse", text]) == 0
    out = capsys.readouterr().out
    assert "ave, test, 402 videos" in out
    assert "split that chose the epoch" in out
    assert "unknown" in out
    assert main(["audit", "--parse", text, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["selection"] == "test"


def test_a_run_folder_holds_its_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = made_truth()
    run = make_run(tmp_path / "run", truth=truth, wrong=0.2, supervision="weak")
    for path in (run, run / "predictions.h5"):
        found = audit(path)
        assert found.whole is not None
        assert found.scores is not None
        stored = json.loads((run / "result.json").read_text("utf-8"))["scores"]["test"]
        assert found.scores.segment_accuracy == stored["segment_accuracy"]
        assert found.scores.event_f1_iou50 == stored["event_f1_iou50"]
        assert str(found.signature).startswith("worlds-test60|weak:onehot+neg|labels=truth|sel=val|seeds=1|")
    (run / "metrics.jsonl").write_text(
        '{"epoch": 1, "val": {"segment_accuracy": 0.8}, "test_segment_accuracy": 0.7}\n'
        '{"epoch": 2, "val": {"segment_accuracy": 0.7}, "test_segment_accuracy": 0.9}\n',
        "utf-8",
    )
    found = audit(run)
    assert found.optimism is not None
    assert found.optimism.gap == pytest.approx(0.2)
    assert main(["audit", str(run), "--split", "train"]) == 4
    assert "no predictions on 'train'" in capsys.readouterr().err


def test_label_variants(tmp_path: Path) -> None:
    """A folder with right_labels.h5 alone: the missing labels.h5 is said."""
    out = tmp_path / "simulated"
    simulate(Simulation(videos=40, grid=(1, 1), visual_dim=4), out)
    truth = AveConfig(root=out).read_labels()["test"].truth
    np.save(tmp_path / "p.npy", truth.segments)
    (out / "labels.h5").unlink(missing_ok=True)
    found = audit(tmp_path / "p.npy", data=out, labels="all")
    assert [(one.name, one.accuracy, one.differing) for one in found.variants] == [("right_labels", 1.0, 0)]
    assert any("No score against labels.h5" in note for note in found.notes)
    right = audit(tmp_path / "p.npy", data=out, labels="right_labels")
    assert right.signature.labels == "right_labels"
    assert right.signature.data_hash == found.signature.data_hash


@pytest.mark.slow
def test_another_data_set_is_opened_for_its_labels() -> None:
    found = audit(dataset="worlds", split="val")
    assert found.signature.dataset == "worlds"
    assert found.labels.videos == 120
    assert found.labels.background == pytest.approx(1 - found.labels.true_category)


@pytest.mark.parametrize("words", [[NAMES, str(FILES / "table.tsv"), "--claim", "67.5"], []], ids=["files", "labels"])
def test_stays_without_torch(words: list[str]) -> None:
    code = (
        "import sys; from avelzoo.cli import main;"
        f"code = main(['audit', *{words!r}, '--data', {str(DATA)!r}]);"
        "print('HEAVY', code, sorted({'torch', 'scipy', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "HEAVY 0 []"
