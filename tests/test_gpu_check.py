"""The GPU check: its rows, its time limits, what it compares, and the data it trains on."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from gpu import costs, equality, parts
from gpu.features import DIFFERENT, NAME, FeaturesConfig, FeaturesPlugin
from gpu.rows import RESERVE, Job, Row, table

from avelzoo.plugin.host import PluginHost
from avelzoo.testing import run_checks

SMALL = {"train_videos": 70, "val_videos": 5, "test_videos": 5, "grid": 1, "audio_channels": 2, "visual_channels": 3}


def a_job(folder, seconds=100.0, part="equality"):
    return Job(part, "cpu", tiny=True, folder=folder, seconds=seconds)


def test_rows_survive_and_a_cut_line_does_no_harm(tmp_path):
    job = a_job(tmp_path)
    assert job.rows() == []
    job.add("one", ok=True)
    job.add("two", value=2.0, unit="s", note="slow", data={"epochs": [1, 3]})
    with job.file.open("a") as file:
        file.write('{"part": "equal')
    assert job.rows() == [
        Row("equality", "one", ok=True),
        Row("equality", "two", value=2.0, unit="s", note="slow", data={"epochs": [1, 3]}),
    ]


def test_work_that_would_take_too_long_is_skipped(tmp_path):
    job = a_job(tmp_path, seconds=RESERVE + 20)
    assert job.begin("short", 10)
    assert not job.begin("long", 30)
    (row,) = job.rows()
    assert (row.name, row.ok) == ("long", None)
    assert row.note.startswith("skipped:")


def test_the_table_counts_what_passed_and_names_what_failed():
    rows = [
        Row("equality", "head single", ok=True),
        Row("equality", "head double", ok=False, note="off by 1"),
        Row("cost", "ead-b", value=12.345, unit="ms a step"),
    ]
    lines = list(table(rows))
    assert [line.split() for line in lines] == [
        ["equality", "head", "double", "FAILED", "off", "by", "1"],
        ["equality", "checks", "FAILED", "1", "of", "2"],
        ["cost", "ead-b", "12.35", "ms", "a", "step"],
    ]


WRITES = "import sys; open(sys.argv[sys.argv.index('--folder') + 1] + '/equality.jsonl', 'w').write({!r});"
LINE = json.dumps({"part": "equality", "name": "found", "ok": True}) + "\n"


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("", None),
        ("sys.exit('the device is gone')", ("process", False, "ended with exit code 1: the device is gone")),
        ("import time; time.sleep(60)", ("time", None, "stopped after")),
    ],
)
def test_a_part_that_dies_or_hangs_keeps_what_it_found(tmp_path, monkeypatch, capfd, rest, expected):
    monkeypatch.setattr(parts, "PARTS", parts.PARTS[:1])
    monkeypatch.setattr(parts, "SHORTEST", 0.0)
    command = [sys.executable, "-c", WRITES.format(LINE) + rest]
    rows = parts.run_all(command, device="cpu", tiny=True, folder=tmp_path, seconds=3.0 if "sleep" in rest else 60.0)
    assert rows[0] == Row("equality", "found", ok=True)
    assert rows[-1].name == "seconds"
    if expected is None:
        assert len(rows) == 2
    else:
        name, ok, note = expected
        assert (rows[1].name, rows[1].ok) == (name, ok)
        assert rows[1].note.startswith(note)
    assert capfd.readouterr().err.startswith("equality: at most")


def test_parts_without_time_are_named(tmp_path):
    rows = parts.run_all(["never started"], device="cpu", tiny=True, folder=tmp_path, seconds=1.0)
    assert [(row.part, row.ok) for row in rows] == [(part.name, None) for part in parts.PARTS]
    assert all(row.note.startswith("skipped:") for row in rows)


def test_every_part_is_there():
    for part in parts.PARTS:
        assert callable(__import__(f"gpu.{part.module}", fromlist=["check"]).check)
    assert sum(part.seconds for part in parts.PARTS) < 8 * 60


@pytest.mark.parametrize(
    ("flaw", "ok", "note"),
    [
        (lambda call: 0.0, True, ""),
        (lambda call: 0.01 * (call == 1), False, "loss off by"),  # the device's alone
        (lambda call: 0.01 * call, True, "random numbers by design"),  # the CPU's, with another seed, differ as well
        (lambda call: float("nan") if call == 1 else 0.01 * call, False, "not finite: loss"),
    ],
)
def test_a_device_that_computes_something_else_is_noticed(tmp_path, monkeypatch, flaw, ok, note):
    (_, bench), *_ = equality.subjects(names=("mean-pool",))
    real, calls = equality._step, []

    def step(*args):
        calls.append(args)
        found = real(*args)
        return found | {"loss": found["loss"] * (1 + flaw(len(calls)))}

    monkeypatch.setattr(equality, "_step", step)
    job = a_job(tmp_path)
    equality._compare(job, "mean-pool", bench, torch.float64)
    (row,) = job.rows()
    assert row.ok is ok
    assert row.note.startswith(note)


def test_differences_are_relative_and_complete():
    base = {"a": torch.tensor([100.0, 1.0]), "b": torch.tensor([1, 2])}
    assert equality._differences(base, {key: value.clone() for key, value in base.items()}, 0.0) == []
    near = base | {"a": torch.tensor([100.001, 1.0])}
    assert equality._differences(near, base, 1e-4) == []
    assert equality._differences(near, base, 1e-6)[0].startswith("a off by 1")
    assert equality._differences(base | {"b": torch.tensor([1, 3])}, base, 1e-3) == ["b off by 5.0e-01"]
    assert equality._differences({"a": base["a"]}, base, 1.0) == ["b is there on one device alone"]
    assert equality._differences(base | {"b": torch.tensor([1])}, base, 1.0) == ["b is (1,), not (2,)"]
    missing = base | {"a": torch.tensor([float("nan"), 1.0])}
    assert equality._differences(missing, base, 1e-3) == ["a is finite in other places"]
    assert equality._differences(missing, missing, 0.0) == []


def test_the_features_are_a_data_set_like_any_other():
    host = PluginHost(entry_points=False)
    host.add(FeaturesPlugin(), name=NAME)
    assert host.registry.get("dataset", NAME).target is FeaturesConfig
    faults = [found.check for found in run_checks(FeaturesConfig(**SMALL)) if found.error]
    assert faults == ["torch-free"], "it is one file, config and features"
    split = FeaturesConfig(**SMALL).open("full").split("train")
    batch, targets = split.fetch([0, 3, DIFFERENT])
    assert torch.equal(batch.audio[0], batch.audio[2])
    assert not torch.equal(batch.audio[0], batch.audio[1])
    assert targets.event.tolist() == [0, 3, DIFFERENT % 28]
    assert FeaturesConfig(**SMALL).open("weak").split("train").fetch([0])[1].segments is None
    full = FeaturesConfig(grid=1, audio_channels=1, visual_channels=1).open("full")
    assert [len(full.split(name)) for name in ("train", "val", "test")] == [3339, 402, 402]


def test_everything_is_measured_before_anything_is_compiled():
    order = list(costs._order(tiny=False))
    assert len(order) == len(set(order)) == 2 * 3 * 5
    assert [compiled for *_, compiled in order] == [False] * 15 + [True] * 15
    assert {name for name, _, _ in order[:3]} == {"ead-b"}
    trial = list(costs._order(tiny=True))
    assert {name for name, _, _ in trial} == set(costs.RECIPES)
    assert {label for _, label, _ in trial} == set(costs.FORMATS)
    assert [compiled for *_, compiled in trial] == [False] * 7 + [True]


def test_the_script_without_a_device_says_so(root):
    script = [sys.executable, str(root / "scripts" / "gpu_check.py")]
    wheels = subprocess.run([*script, "--wheels"], capture_output=True, text=True, check=True).stdout.split()
    assert {"torch", "numpy"} <= set(wheels)
    if torch.cuda.is_available():
        pytest.skip("there is a device here")
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: no CUDA device here; --tiny tries the script on the CPU\n"
