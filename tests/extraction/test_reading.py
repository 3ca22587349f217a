"""Folders with events.csv: several runs, no event, different lengths, fractions; features of one recipe only."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import avelzoo
from avelzoo import AveConfig, engine
from avelzoo.cli.folders import print_status
from avelzoo.composition.resolving import resolve
from avelzoo.data.checking.doctor import examine
from avelzoo.data.checking.status import status
from avelzoo.data.reading.event_table import inside, read_event_table
from avelzoo.data.reading.features_record import read_features_record
from avelzoo.errors import DataError, RunError
from avelzoo.plugin.default import default_host
from avelzoo.testing import datasets
from tests.extraction.folders import EVENTS, LENGTHS, ROWS, SEGMENTS, varied_folder

CHECKS = [value for name, value in vars(datasets).items() if name.startswith("check_")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return varied_folder(tmp_path / "own")


def config(folder: Path) -> AveConfig:
    return AveConfig(root=folder, weak_protocol="onehot")


def test_labels_of_every_row(folder: Path) -> None:
    table = read_event_table(folder / "events.csv")
    assert table.segments(6).tolist() == SEGMENTS.tolist()
    assert table.events.tolist() == EVENTS.tolist() and table.lengths(6).tolist() == LENGTHS.tolist()
    assert table.video_ids == tuple(row.video for row in ROWS) and table.categories == ("Dog", "Bell, church")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_keeps_the_promises_of_data_sets(folder: Path, check) -> None:
    check(config(folder))


def test_splits_have_masks_and_their_own_length(folder: Path) -> None:
    dataset = config(folder).open("full")
    batch, targets = dataset.split("train").fetch([1, 2])
    assert batch.mask.tolist() == [[True] * 4 + [False] * 2, [True] * 6]
    assert targets.segments.tolist() == SEGMENTS[1:3].tolist() and targets.presence.tolist() == [1, 0]
    batch, _ = dataset.split("val").fetch([0])  # its longest video has 5 segments
    assert batch.audio.shape == (1, 5, 5) and batch.mask.tolist() == [[True, True, False, False, False]]
    assert dataset.extraction["audio"]["recipe_id"] == "audio-1"


def test_soft_duration_counts_real_segments(folder: Path) -> None:
    weak = AveConfig(root=folder, weak_protocol="onehot").open("weak").split("train")
    assert weak.fetch([0])[1].presence.tolist() == [1]


def test_length_of_a_segment(tmp_path: Path) -> None:
    dataset = config(varied_folder(tmp_path / "half", seconds=0.5)).open("full")
    assert dataset.spec.seconds_per_segment == 0.5
    assert dataset.split("test").labels().tolist() == [[1] * 6]
    assert dataset.split("val").labels()[0].tolist() == [2, 0, 2, 2, 2]  # 0.4 - 1.4 s of a video of 1 s


@pytest.mark.parametrize(
    ("start", "end", "seconds", "covered"),
    [
        (0, 3, 1, [0, 1, 2]),
        (2.5, 3.5, 1, [2, 3]),
        (2.51, 3.49, 1, []),
        (2.51, 3.3, 1, [2]),
        (3.9, 30, 1, [4, 5]),
        (6, 7, 1, []),
        (0, 1.5, 0.5, [0, 1, 2]),
        (0.1 + 0.2, 0.6, 0.3, [1]),
    ],
)
def test_segments_of_a_run(start: float, end: float, seconds: float, covered: list[int]) -> None:
    found = np.flatnonzero(inside(start, end, seconds, 6)).tolist()
    assert found == (covered or found[:1]) and (len(found) == 1 or covered or start >= 6)


def test_whole_seconds_follow_the_rule_of_ave() -> None:
    for start in range(10):
        for end in range(start + 1, 11):
            assert inside(start, end, 1.0, 10).tolist() == [start <= t < end for t in range(10)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "header"),
        ("row,video\n0,a\n", "header"),
        ("row,video,segments,category,start,end\n", "empty"),
        ("row,video,segments,category,start,end\n1,a,4,,,\n", "not in order"),
        ("row,video,segments,category,start,end\n0,a,4,Dog,2,1\n", "line 2"),
        ("row,video,segments,category,start,end\n0,a,4,Dog,,\n", "line 2"),
        ("row,video,segments,category,start,end\n0,a,0,,,\n", "line 2"),
        ("row,video,segments,category,start,end\n0,a,4,Dgo,0,1\n", "did you mean 'Dog'"),
        ("row,video,segments,category,start,end\n0,a,4,Dog,0,1\n0,b,4,Dog,2,3\n", "line 3"),
    ],
)
def test_damaged_tables_are_named_by_line(folder: Path, text: str, said: str) -> None:
    (folder / "events.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        config(folder).open("full")
    assert said in str(caught.value)


def test_records_that_cannot_be_trusted(folder: Path) -> None:
    assert read_features_record(folder) is not None
    (folder / "features.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        config(folder).open("full")
    (folder / "features.json").unlink()
    assert read_features_record(folder) is None
    (folder / "journal").mkdir()
    (folder / "journal" / "manifest.json").write_text("{}")
    with pytest.raises(DataError, match="not finished"):
        config(folder).open("full")


def test_status_and_doctor_know_the_folder(folder: Path) -> None:
    found = status(folder)
    assert found.extraction is not None and found.abilities[0].missing["vggish"] == ()
    report = examine(folder)
    assert report.ok, report.findings
    record = read_features_record(folder)
    assert record is not None
    replace(record, files={"audio_feature.h5": {"bytes": 3, "sha256": "0" * 64}}).write(folder)
    assert [finding.problem for finding in examine(folder).findings if finding.level == "error"] == [
        "an extracted file has changed since it was written"
    ]


def test_status_names_the_extractors_and_what_the_labels_allow(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_status(status(folder))
    said = capsys.readouterr().out
    assert "VGG-19" not in said and "VGGish" not in said
    assert "features by" in said and re.search(r"allows +full; weak, onehot", said)
    for name in ("Annotations.txt", "events.csv"):
        (folder / name).unlink(missing_ok=True)
    print_status(status(folder))
    assert re.search(r"labels +none; repeat `avelzoo extract` with --table", capsys.readouterr().out)


def test_a_run_keeps_the_recipe_and_refuses_another(folder: Path, tmp_path: Path) -> None:
    registry = default_host().registry
    options = {"train.epochs": 1, "train.batch_size": 2, "encoder.width": 8, "train.test_curve": False}
    recipe = resolve(registry, "single-branch", choices={"encoder": "mean-pool", "dataset": "ave"}).recipe
    recipe = replace(recipe, dataset=config(folder))
    result = avelzoo.run(recipe, options=options, out=tmp_path / "run", device="cpu")
    run = engine.load_run(Path(result.run_dir), registry)
    assert run.extraction is not None and run.extraction["visual"]["recipe_id"] == "visual-1"
    assert engine.evaluate(run, device="cpu") == result.scores["test"]
    other = config(varied_folder(tmp_path / "other", audio_recipe="audio-2"))
    with pytest.raises(RunError, match="another recipe") as caught:
        engine.evaluate(run, dataset=other, device="cpu")
    assert "audio audio-2" in caught.value.found and "audio audio-1" in caught.value.expected
    assert engine.evaluate(run, dataset=other, device="cpu", force=True) == result.scores["test"]
    again = tmp_path / "again"
    shutil.copytree(folder, again)
    for one, other_split in (("train", "test"), ("test", "train")):
        shutil.copy(folder / f"{one}_order.h5", again / f"{other_split}_order.h5")
    with pytest.warns(engine.RunWarning, match="2 of the 2 test videos were training videos of this run"):
        engine.evaluate(run, dataset=config(again), device="cpu")
    (tmp_path / "run" / "result.json").unlink()
    with pytest.raises(RunError, match="another recipe"):
        avelzoo.run(replace(recipe, dataset=other), options=options, out=tmp_path / "run", device="cpu", resume=True)
