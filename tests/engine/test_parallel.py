"""Two processes on one run: the numbers of one, one clear word when one is lost, and going on from there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from avelzoo import engine
from avelzoo.channels import Channel
from avelzoo.cli import main
from avelzoo.engine import RunWarning
from avelzoo.engine.checkpoint import load_tensors
from avelzoo.engine.device import make_fabric
from avelzoo.engine.parallel import launch
from avelzoo.engine.parallel.collectives import Collectives
from avelzoo.engine.parallel.event_file import EventFileReader, EventFileWriter
from avelzoo.engine.parallel.rank import Rank, find_rank, is_first, require_agreement
from avelzoo.engine.parallel.shared import SharedProcesses
from avelzoo.engine.run_events import RunEvents
from avelzoo.errors import AvelzooError, DataError, PluginError, TrainingError, UsageError
from avelzoo.plugin.listeners import Listener, RunView
from avelzoo.records import Batch, Encoded
from tests.engine.reading import lines, numbers
from tests.engine.teaming import CASES, SMALL, TOGETHER_ALONE
from tests.engine.tiny import composed, tiny_registry

PROCESSES = pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs fork and /proc")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, root, warning_options):
    """Every case, trained by one process and by two."""
    folder = tmp_path_factory.mktemp("teams")
    done = subprocess.run(
        [sys.executable, *warning_options, "-m", "tests.engine.teaming", str(folder)],
        cwd=root,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def flattened(value, path=""):
    """Numbers of nested plain data, by path."""
    if isinstance(value, dict):
        return {k: v for name, inner in value.items() for k, v in flattened(inner, f"{path}.{name}").items()}
    if isinstance(value, list):
        return {k: v for i, inner in enumerate(value) for k, v in flattened(inner, f"{path}.{i}").items()}
    return {path: value}


def require_close(found, expected, **close):
    found, expected = flattened(found), flattened(expected)
    assert found.keys() == expected.keys()
    for path, value in expected.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        assert found[path] == (pytest.approx(value, **close) if number else value), path


@PROCESSES
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(CASES) - set(TOGETHER_ALONE)))
def test_two_processes_compute_what_one_does(trained, name):
    exact = name != "float32"
    alone, together = (trained / team / name for team in ("alone", "together"))
    for file in ("resume/state.safetensors", "best.safetensors"):
        (one, _), (two, _) = load_tensors(alone / file), load_tensors(together / file)
        extra = {"generator.rank0.torch", "generator.rank1.torch"} if file.startswith("resume") else set()
        assert two.keys() - one.keys() == extra
        for key, value in one.items():
            if not value.is_floating_point():  # whose segments the bank holds, and the common random numbers
                assert torch.equal(value, two[key]), key
            elif exact:
                assert torch.allclose(value, two[key], rtol=0, atol=1e-9), key
    if name in ("full", "weak", "parts", "official", "random", "float32"):
        stored = load_tensors(together / "best.safetensors")[0]
        assert (stored["memory.slots.key"] >= 0).all(), "a bank with empty slots shows little"
        raw = load_tensors(alone / "best.safetensors")[0]["memory.slots.audio"]
        assert torch.equal(stored["memory.slots.audio"], raw)
    close = {"rel": 1e-9 if exact else 1e-3, "abs": 1e-9 if exact else 1e-3}
    require_close(lines(together), lines(alone), **close)
    scores = [json.loads((folder / "result.json").read_text())["scores"] for folder in (alone, together)]
    if exact:
        require_close(scores[1], scores[0], **close)
    assert json.loads((together / "result.json").read_text())["device"] == "2 x cpu"
    assert json.loads((together / "composition.json").read_text())["processes"] == 2


@PROCESSES
@pytest.mark.slow
def test_processes_that_differ_settle_it(trained):
    told = [json.loads((trained / "together" / f"settled-{rank}.json").read_text()) for rank in (0, 1)]
    assert told[0]["mean"] == told[1]["mean"] == [0.0, 0.0]
    assert [len(one["warnings"]) for one in told] == [1, 0]
    assert "(1.running_mean)" in told[0]["warnings"][0]
    assert "weight" not in told[0]["warnings"][0]


def kill_worker(rank, folder):
    """Kills a process of this one's run after its first epoch."""
    while not (folder / "metrics.jsonl").exists():
        time.sleep(0.002)
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            with suppress(OSError):
                if f"\0RANK={rank}\0" in "\0" + Path(f"/proc/{child}/environ").read_text():
                    os.kill(int(child), signal.SIGKILL)


@PROCESSES
@pytest.mark.slow
def test_a_lost_process_ends_the_run_which_goes_on_later(trained, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr("avelzoo.cli.execute.plugin_listeners", lambda host: [])  # trackers have tests of their own
    supervision, choices, values = CASES["dropout"]
    words = [word for path, value in (SMALL | values).items() for word in ("--set", f"{path}={value}")]
    words += [word for slot, name in choices.items() for word in (f"--{slot}", name)]
    out = tmp_path / "run"
    killer = threading.Thread(target=kill_worker, args=(1, out), daemon=True)
    killer.start()
    how = ["--devices", "2", "--device", "cpu", "--quiet"]
    assert (
        main(["run", "ead-b", *words, "--supervision", supervision, "--out", str(out), *how]) == TrainingError.exit_code
    )
    killer.join()
    told = capfd.readouterr().err
    assert told.startswith("error: process 1 of 2 was lost (SIGKILL)")
    assert f"avelzoo run --resume {out} --devices 2" in told
    assert told.count("error:") == 1
    assert "Traceback" not in told
    assert not (out / "result.json").exists()
    assert 1 <= len(lines(out)) < 20
    assert main(["run", "--resume", str(out), *how]) == 0
    assert capfd.readouterr() == ("", "")
    gone_on, straight = numbers(out), numbers(trained / "together" / "dropout")
    assert gone_on == straight, "each process's own dropout goes on as well"


def test_the_rank_of_a_process():
    rank = Rank(rank=5, size=8, local_rank=1, local_size=4)
    environ = rank.to_environ(address="first.example", port=29500)
    assert find_rank(environ) == rank
    assert environ["GROUP_RANK"] == "1"
    assert rank.nodes == 2
    assert find_rank({}) is None
    assert find_rank({name: value for name, value in environ.items() if name != "RANK"}) is None
    assert find_rank(environ | {"WORLD_SIZE": "1", "RANK": "0"}) is None
    for devices, nodes in ((1, 1), (4, 2)):
        require_agreement(rank, devices, nodes)
    with pytest.raises(UsageError, match="number of started processes differs"):
        require_agreement(rank, 8, 1)
    for devices, nodes in ((0, 1), (1, 0)):
        with pytest.raises(UsageError, match="needs at least one process"):
            require_agreement(None, devices, nodes)


def test_who_writes(monkeypatch):
    assert is_first(None)
    assert not is_first(Rank(1, 2, 1, 2))
    monkeypatch.setenv("NODE_RANK", "1")
    assert not is_first(None)


@pytest.mark.parametrize(("rows", "size"), [(7, 2), (8, 2), (1, 3), (4, 3), (128, 8)])
def test_shares_are_the_whole(rows, size):
    shares = [
        Collectives(Rank(rank, size, rank, size), torch.device("cpu")).share_indices(rows) for rank in range(size)
    ]
    assert {len(share) for share in shares} == {-(-rows // size)}
    assert torch.equal(torch.cat(shares)[:rows], torch.arange(rows))
    assert torch.cat(shares).max() == rows - 1


def test_an_extra_tensor_without_videos_is_named():
    class Odd(torch.nn.Module):
        def forward(self, audio, visual):
            return Encoded(
                fused=audio,
                audio=audio,
                visual=audio,
                channels={Channel("anchors", "(b 2)", "a test's"): torch.zeros(5, 2)},
            )

    collectives = Collectives(Rank(0, 2, 0, 2), torch.device("cpu"))
    share = Batch(audio=torch.zeros(3, 2, 4), visual=torch.zeros(3, 2, 1, 1, 4), rows=torch.arange(3))
    with pytest.raises(PluginError, match="cannot be gathered") as fault:
        SharedProcesses(make_fabric("cpu", "32"), "32", collectives, seed=0)._encode_share(Odd(), share, 6)
    assert fault.value.where == "Odd"
    assert fault.value.found == "anchors (5, 2)"


class Notes(Listener):
    def __init__(self):
        self.heard = []

    def run_started(self, run):
        self.heard.append(("started", run.epochs_done))

    def step_finished(self, epoch, step, steps):
        self.heard.append(("step", epoch, step, steps))

    def epoch_finished(self, epoch, metrics, best):
        self.heard.append(("epoch", epoch, metrics, best))


def test_events_arrive_through_a_file(tmp_path):
    notes, run = Notes(), RunView(tmp_path, composed(), 1)
    reader = EventFileReader(tmp_path / "events", RunEvents([notes], run))
    reader.poll()
    writer = EventFileWriter(tmp_path / "events")
    writer.run_started(run)
    for step in range(100):
        writer.step_finished(1, step, 100)
    reader.poll()
    with (tmp_path / "events").open("a") as file:
        file.write('{"event": "epoch_fin')
        file.flush()
        reader.poll()
        file.write('ished", "epoch": 1, "metrics": {"loss": 0.1}, "best": true}\n')
    reader.poll()
    assert notes.heard[:2] == [("started", 1), ("step", 1, 0, 100)]
    assert notes.heard[-1] == ("epoch", 1, {"loss": 0.1}, True)
    assert len(notes.heard) < 20, "of steps in quick succession some are left out"
    writer.warn("beware")
    with pytest.warns(RunWarning, match="beware"):
        reader.poll()


def said(problem, *, lost=False, kind="DataError"):
    rest = dict.fromkeys(("where", "found", "expected", "fix"), "")
    return rest | {"error": kind, "problem": problem, "lost": lost}


LOST = "process 1 of 2 was lost ({}); all processes were ended"


@pytest.mark.parametrize(
    ("errors", "codes", "problem", "kind"),
    [
        (
            {0: said("gone", lost=True)},
            [1, -9],
            LOST.format("SIGKILL"),
            TrainingError,
        ),
        ({0: said("gone", lost=True, kind="TrainingError"), 1: said("no file")}, [1, 1], "no file", DataError),
        ({0: said("gone", lost=True, kind="TrainingError")}, [1, None], "gone", TrainingError),
        ({1: said("odd", kind="path")}, [None, 1], "odd", AvelzooError),
        ({}, [None, 3], LOST.format("exit code 3"), TrainingError),
    ],
)
def test_the_reason_that_is_told(tmp_path, errors, codes, problem, kind):
    for rank in (0, 1):
        (tmp_path / f"log-{rank}").write_text("first\nlast words\n" if rank else "")
    for rank, error in errors.items():
        (tmp_path / f"error-{rank}.json").write_text(json.dumps(error))
    task = launch.Task(composed(), Path("out"), resume=False, device="cpu", command=())
    reason = launch._reason([Rank(rank, 2, rank, 2) for rank in (0, 1)], codes, tmp_path, task)
    assert (reason.problem, type(reason)) == (problem, kind)
    if "was lost" in problem:
        assert reason.found == "last words"


def test_what_several_processes_cannot_do(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="registered only in this process"):
        engine.run(composed(), tmp_path / "run", registry=tiny_registry(), devices=2)
    with pytest.raises(UsageError, match="needs at least one process"):
        engine.run(composed(), tmp_path / "run", registry=tiny_registry(), devices=0)
    with pytest.raises(UsageError, match="cannot share the device 'cuda:1'"):
        make_fabric("cuda:1", "32", Rank(0, 2, 0, 2))
    assert list(tmp_path.iterdir()) == []
    for name in ("NODE_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="address of the first machine"):
        launch._meeting_point(2)
    monkeypatch.setenv("NODE_RANK", "2")
    monkeypatch.setenv("MASTER_ADDR", "first.example")
    monkeypatch.setenv("MASTER_PORT", "29500")
    with pytest.raises(UsageError, match="NODE_RANK is out of range"):
        launch._meeting_point(2)
    assert launch._meeting_point(3) == (2, "first.example", 29500)


def test_a_sweep_and_several_processes(capsys):
    assert main(["run", "ead-b", "--seeds", "2", "--devices", "2"]) == UsageError.exit_code
    assert "runs of a sweep use one process each" in capsys.readouterr().err


def test_a_run_may_go_on_with_another_number_of_processes(tmp_path):
    folder = engine.RunDir(tmp_path / "run")
    engine.run(composed(train_epochs=1), folder.path, registry=tiny_registry(), device="cpu")
    record = json.loads(folder.composition.read_text())
    assert record["processes"] == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        folder.reopen(record)
    with pytest.warns(RunWarning, match="processes is 1, not 4"):
        folder.reopen(record | {"processes": 4})
