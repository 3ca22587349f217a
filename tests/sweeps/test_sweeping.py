"""Whole sweeps: from the command line and from Python, killed and gone on with, with runs that fail."""

from __future__ import annotations

import json

import pytest

import avelzoo
from avelzoo.errors import DataError, RunError, UsageError
from avelzoo.plugin.default import add_files, default_host
from avelzoo.sweeps.folder import SweepDir

KILLED = -9


def stamps(folder):
    """When every file of the runs was last written."""
    return {path: path.stat().st_mtime_ns for path in (folder / "runs").rglob("*") if path.is_file()}


def under(found, name):
    return {path: time for path, time in found.items() if name in path.parts}


def test_a_sweep_in_a_few_lines(small, tmp_path):
    told = []
    result = avelzoo.sweep(
        "ead-b", seeds=2, over={"head": ["single", "double"]}, out=tmp_path / "s", **small,
        on_outcome=lambda outcome, over, of: told.append((outcome.job, over, of)),
    )  # fmt: skip
    assert result.complete
    assert [(dict(cell.values), cell.seeds) for cell in result.cells] == [
        ({"head": "single"}, (0, 1)),
        ({"head": "double"}, (0, 1)),
    ]
    assert told == [(f"head={head}_seed={seed}", 2 * seed + i + 1, 4) for seed in (0, 1)
                    for i, head in enumerate(("single", "double"))]  # fmt: skip
    assert json.loads((tmp_path / "s" / "results.json").read_text()) == json.loads(json.dumps(result.to_dict()))
    assert (tmp_path / "s" / "table.md").read_text() == f"{result}\n"
    scores = [
        avelzoo.load_run(tmp_path / "s" / "runs" / run).result.scores["test"].segment_accuracy
        for run in result.cells[1].runs
    ]
    assert result.cells[1].measures["test.segment_accuracy"].mean == pytest.approx(sum(scores) / 2)


def test_a_run_of_a_sweep_is_the_run_alone(small, tmp_path):
    avelzoo.sweep("ead-b", over={"train.seed": [3]}, out=tmp_path / "s", **small)
    alone = avelzoo.run(
        "ead-b", encoder="mean-pool", options=small["options"], seed=3, device="cpu", out=tmp_path / "r"
    )
    (folder,) = (tmp_path / "s" / "runs").iterdir()
    assert avelzoo.load_run(folder).result.scores == alone.scores
    assert (folder / "best.safetensors").read_bytes() == (tmp_path / "r" / "best.safetensors").read_bytes()


def test_more_seeds_leave_finished_runs_alone(small, tmp_path):
    out = tmp_path / "s"
    avelzoo.sweep("ead-b", seeds=1, out=out, **small)
    before = stamps(out)
    result = avelzoo.sweep("ead-b", seeds=2, out=out, resume=True, **small)
    assert result.cells[0].seeds == (0, 1)
    assert before.items() <= stamps(out).items()
    with pytest.raises(RunError, match="already holds a sweep"):
        avelzoo.sweep("ead-b", seeds=2, out=out, **small)
    with pytest.raises(RunError, match="other runs than requested"):
        avelzoo.sweep("ead-b", seeds=2, over={"head": ["single"]}, out=out, resume=True, **small)


def test_refusals_from_python(small, tmp_path):
    with pytest.raises(UsageError, match="is both swept and set"):
        avelzoo.sweep("ead-b", over={"memory.size": [1, 2]}, out=tmp_path / "s", **small)
    with pytest.raises(UsageError, match="unknown launcher 'locl'; did you mean 'local'"):
        avelzoo.sweep("ead-b", seeds=2, launcher="locl", out=tmp_path / "s", **small)
    with pytest.raises(UsageError, match="resuming needs a sweep folder"):
        avelzoo.sweep("ead-b", seeds=2, resume=True)
    with pytest.raises(DataError):
        avelzoo.sweep("ead-b", choices={"dataset": "ave"}, options={"dataset.root": str(tmp_path)}, seeds=2,
                      out=tmp_path / "s")  # fmt: skip
    assert not (tmp_path / "s").exists()


def test_local_processes_a_failing_run_and_another_launcher_for_the_rest(small, tmp_path):
    """The learning rate 1e30 cannot be trained with; the other run gets through, and is not done again."""
    out = tmp_path / "s"
    first = avelzoo.sweep(
        "ead-b",
        over={"optimizer.learning_rate": [1e-3, 1e30]},
        out=out,
        launcher=avelzoo.LocalConfig(workers=2),
        **small,
    )
    assert [cell.seeds for cell in first.cells] == [(0,), ()]
    (failure,) = first.failures
    assert failure.run == "optimizer.learning_rate=1e+30_seed=0"
    assert failure.error["exit_code"] == 7
    assert "not finite" in failure.error["problem"]
    assert (out / "logs" / f"{failure.run}.log").exists()
    finished = under(stamps(out), first.cells[0].runs[0])
    assert json.loads((out / "sweep.json").read_text())["launcher"]["options"]["workers"] == 2
    again = avelzoo.sweep("ead-b", over={"optimizer.learning_rate": [1e-3, 1e30]}, out=out, resume=True, **small)
    assert [failure.run for failure in again.failures] == [failure.run]
    assert finished.items() <= stamps(out).items()


KILL = """
import os, signal, sys
seen = 0
def count(event, arguments):
    global seen
    if event == "os.rename" and "seed=1" in str(arguments[0]):
        seen += 1
        if seen == 6:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
"""
"""Dies while the second run writes what its second epoch left."""


def test_killed_and_gone_on_with(shell, words, small, tmp_path):
    """The finished run is left alone, the half-done one goes on from its epoch, and all ends as if nothing had been."""
    argv = ["run", "ead-b", *words, "--seeds", "3", "--out", "s", "--quiet"]
    assert shell(*argv, before=KILL).code == KILLED
    out = tmp_path / "s"
    finished = under(stamps(out), "seed=0")
    half = (out / "runs" / "seed=1" / "metrics.jsonl").read_text()
    assert len(half.splitlines()) in (1, 2)
    assert not (out / "runs" / "seed=1" / "result.json").exists()
    assert not (out / "runs" / "seed=2").exists()
    done = shell("run", "--resume", "s", "--json")
    assert done.code == 0, done.err
    assert done.json["complete"]
    assert finished.items() <= stamps(out).items()
    assert (out / "runs" / "seed=1" / "metrics.jsonl").read_text().startswith(half.splitlines()[0])
    assert "[2/3] seed=1" in done.err
    assert "seed=0:" not in done.err
    straight = avelzoo.sweep("ead-b", seeds=3, out=tmp_path / "t", **small)
    for seed in range(3):
        weights = [
            (folder / "runs" / f"seed={seed}" / "best.safetensors").read_bytes() for folder in (out, tmp_path / "t")
        ]
        assert weights[0] == weights[1]
    measure = "test.segment_accuracy"
    assert done.json["cells"][0]["measures"][measure]["mean"] == straight.cells[0].measures[measure].mean


def test_a_failing_run_on_the_command_line(call, words, tmp_path):
    argv = ["run", "ead-b", *words, "--sweep", "optimizer.learning_rate=1e30,1e-3"]
    told = call(*argv, "--json")
    assert told.code == 7
    assert [failure["run"] for failure in told.json["failures"]] == ["optimizer.learning_rate=1e+30_seed=0"]
    assert [len(cell["seeds"]) for cell in told.json["cells"]] == [0, 1]
    (out,) = (tmp_path / "runs").iterdir()
    assert out.name == "ead-b-sweep"
    told = call("run", "--resume", out)
    assert told.code == 7
    assert "not finite" in told.out
    assert f"avelzoo run --resume {out}" in told.out.replace("\n", " ")
    assert told.err.count("[2/2]") == 1


def test_dry_run_starts_nothing(call, tmp_path):
    told = call("run", "ead-b", "--seeds", "2", "--sweep", "head=single,double", "--launcher", "local",
                "--launcher.workers", "3", "--dry-run", "--json")  # fmt: skip
    assert told.code == 0
    assert [trial["name"] for trial in told.json["trials"]] == [
        f"head={head}_seed={seed}" for seed in (0, 1) for head in ("single", "double")
    ]
    assert told.json["launcher"]["name"] == "avelzoo/local"
    assert told.json["launcher"]["options"]["workers"] == 3
    assert (
        "4 runs with the launcher avelzoo/local"
        in call("run", "ead-b", "--seeds", "2", "--sweep", "head=single,double", "--launcher", "local", "--dry-run").out
    )
    assert list(tmp_path.iterdir()) == []


def test_single_file_plugins_travel(call, tmp_path):
    (tmp_path / "bright_idea.py").write_text(
        "from dataclasses import dataclass\n"
        "from avelzoo import hookimpl, MeanPoolConfig\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class BrightConfig(MeanPoolConfig):\n"
        '    """Bright."""\n'
        "@hookimpl\n"
        "def avelzoo_register(zoo):\n"
        "    zoo.encoder('bright', BrightConfig)\n"
    )
    told = call("--plugin", "bright_idea.py", "run", "ead-b", "--sweep", "encoder=bright,mean-pool", "--dry-run",
                "--json")  # fmt: skip
    assert told.json["plugins"] == [str(tmp_path / "bright_idea.py")]
    add_files(told.json["plugins"], default_host())  # it is there already
    assert default_host().files == [tmp_path / "bright_idea.py"]
    default_host().remove("bright-idea")
    assert default_host().files == []
    add_files(told.json["plugins"], default_host())
    assert default_host().registry.get("encoder", "bright").plugin == "bright-idea"
    default_host().remove("bright-idea")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--sweep", "head=event-aware,double", "--sweep", "memory=none,jsd-bank"], "1 of the sweep's 4 combinations"),
        (["--sweep", "memory.size=1,2", "--memory.size", "4"], "'memory.size' is both swept and set"),
        (["--seeds", "0"], "seeds must be a number of runs"),
        (["--seeds", "2", "--launcher", "local", "--launcher.workers", "0"], "'launcher.workers' does not accept 0"),
    ],
)
def test_refusals_start_nothing(shell, argv, message, tmp_path):
    told = shell("run", "ead-b", *argv, "--out", "s")
    assert told.code == 2
    assert told.err.startswith("error: ")
    assert message in told.err
    assert "Traceback" not in told.err
    assert told.out == ""
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (["run", "ead-b", "--launcher", "local"], 2, "--launcher needs a sweep"),
        (["run", "ead-b", "--seeds", "2", "--launcher.workers", "2"], 2, "launcher options need --launcher"),
        (["run", "--seeds", "2"], 2, "no recipe given"),
        (["run", "--resume", "s", "--seeds", "2"], 2, "cannot change its options"),
        (["run", "ead-b", "--out", "s"], 4, "'s' holds a sweep"),
        (["run", "ead-b", "--seeds", "2", "--out", "s"], 4, "'s' already holds a sweep"),
    ],
)
def test_more_refusals(call, argv, code, message, tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "sweep.json").write_text("{}")
    told = call(*argv)
    assert told.code == code
    assert message in told.err


def test_help_shows_the_options_of_the_launcher(call):
    told = call("run", "ead-b", "--launcher", "local", "--help")
    assert "--launcher.workers" in told.out
    assert "--launcher.memory_mb" in told.out
    assert "--launcher.workers" not in call("run", "ead-b", "--help").out


def test_a_damaged_result_is_a_failure_not_an_end(small, tmp_path):
    out = tmp_path / "s"
    avelzoo.sweep("ead-b", seeds=1, out=out, **small)
    (out / "runs" / "seed=0" / "result.json").write_text("{")
    result = avelzoo.sweep("ead-b", seeds=2, out=out, resume=True, **small)
    assert [failure.run for failure in result.failures] == ["seed=0"]
    assert result.cells[0].seeds == (1,)
    assert SweepDir(out).load().trials[1].name == "seed=1"
