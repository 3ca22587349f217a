"""A run that was cut short goes on to the same numbers; a run that is there is never damaged."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from contextlib import contextmanager

import pytest
import torch

from avelzoo import engine
from avelzoo.engine import RunDir, RunWarning
from avelzoo.engine.checkpoint import load_tensors, save_tensors
from avelzoo.errors import RunError, StorageError, TrainingError
from avelzoo.plugin.listeners import Listener
from avelzoo.system.files import write_whole
from tests.engine.reading import content, lines, numbers
from tests.engine.tiny import composed, tiny_registry


def run(out, *, resume=False, **options):
    return engine.run(composed(**options), out, registry=tiny_registry(), device="cpu", resume=resume)


@pytest.fixture
def finished(tmp_path):
    run(tmp_path / "straight")
    return tmp_path / "straight"


class Stopper(Listener):
    """Ends a run after its n-th epoch, as an interruption does."""

    def __init__(self, after):
        self.after = after

    def epoch_finished(self, epoch, metrics, best):
        if epoch + 1 == self.after:
            raise KeyboardInterrupt


def stopped(out, *, after=1, **options):
    with pytest.raises(KeyboardInterrupt):
        engine.run(composed(**options), out, registry=tiny_registry(), device="cpu", listeners=[Stopper(after)])
    return out


@pytest.mark.slow
def test_killed_at_any_moment_and_resumed(tmp_path, root):
    if not hasattr(os, "fork"):
        pytest.skip("needs fork and SIGKILL")
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.killing", str(tmp_path)],
        cwd=root,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    renamings = 1 + 2 * 2 + 1 + 2  # composition; state and metrics of two epochs; weights; predictions, result
    assert len(told["once"]) >= 2 * renamings
    assert [kill for kill in told["once"] if kill["first"] != "killed" or not kill["same"]] == [], done.stderr
    assert told["chain"]["deaths"] >= 2
    assert told["chain"]["same"]
    assert [kill for kill in told["reading"] if kill["first"] != "killed" or not kill["same"]] == [], done.stderr
    assert [kill for kill in told["random"] if not kill["same"]] == [], done.stderr


def test_what_libraries_leave_beside_a_file_is_cleared(tmp_path, finished, monkeypatch):
    """safetensors writes to a temporary neighbour of the file it is given, which a kill in the middle leaves behind."""
    cut = stopped(tmp_path / "cut")

    monkeypatch.setattr("shutil.rmtree", lambda folder, **_: None)  # a killed process clears nothing

    def half(scratch):
        (scratch.parent / ".tmp123").write_bytes(b"half")
        raise KeyboardInterrupt

    for path in (RunDir(cut).state, RunDir(cut).best, RunDir(finished).result):
        with pytest.raises(KeyboardInterrupt):
            write_whole(path, half)
    monkeypatch.undo()
    assert any(".tmp123" in name for name in content(finished))
    run(tmp_path / "undisturbed")
    run(cut, resume=True)
    run(finished, resume=True)
    assert numbers(cut) == numbers(finished) == numbers(tmp_path / "undisturbed")


@pytest.mark.parametrize("after", [1, 2, 3])
@pytest.mark.parametrize("precision", ["32", "64", "bf16-mixed"])
def test_stopped_and_resumed(tmp_path, after, precision):
    values = {"compute_precision": precision, "schedule": "steps", "schedule_milestones": "1"}
    run(tmp_path / "straight", **values)
    cut = stopped(tmp_path / "cut", after=after, **values)
    assert [line["epoch"] for line in lines(cut)] == list(range(1, after + 1))
    run(cut, resume=True, **values)
    assert numbers(cut) == numbers(tmp_path / "straight")


def test_best_weights_come_from_the_state_where_a_kill_left_older_ones(tmp_path, finished):
    best = json.loads((finished / "result.json").read_text())["best_epoch"]
    assert best > 1, "there have to be older ones"
    cut = stopped(tmp_path / "cut", after=best)
    stopped(tmp_path / "other", after=best - 1)
    (cut / "best.safetensors").write_bytes((tmp_path / "other" / "best.safetensors").read_bytes())
    run(cut, resume=True)
    assert numbers(cut) == numbers(finished)


def test_nothing_yet_is_a_start(tmp_path, finished):
    run(tmp_path / "new", resume=True)
    assert numbers(tmp_path / "new") == numbers(finished)
    (tmp_path / "empty").mkdir()
    run(tmp_path / "empty", resume=True)
    assert numbers(tmp_path / "empty") == numbers(finished)


def test_a_finished_run_just_tells_its_result(finished):
    before = content(finished)
    again = run(finished, resume=True)
    assert again.to_dict() == json.loads((finished / "result.json").read_text())
    assert content(finished) == before


@pytest.mark.parametrize("whole", [True, False], ids=["finished", "cut"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"train_seed": 1}, "train.seed is 0, not 1"),
        ({"encoder_width": 9, "train_epochs": 4}, "encoder.width is 8, not 9; train.epochs is 3, not 4"),
        ({"dataset_seed": 5}, "dataset.seed is 0, not 5"),
    ],
)
def test_other_values_are_refused_and_named(tmp_path, whole, options, said):
    folder = tmp_path / "run"
    if whole:
        run(folder)
    else:
        stopped(folder)
    before = content(folder)
    with pytest.raises(RunError) as fault:
        run(folder, resume=True, **options)
    assert said in fault.value.found
    assert "--resume" in fault.value.fix
    assert content(folder) == before


def test_other_data_is_refused(tmp_path):
    folder = stopped(tmp_path / "run")
    record = json.loads((folder / "composition.json").read_text())
    record["data"]["tiny"] = "something else"
    (folder / "composition.json").write_text(json.dumps(record))
    with pytest.raises(RunError, match="the data differ from those the run was started with") as fault:
        run(folder, resume=True)
    assert fault.value.found == "other content of tiny"


def test_going_on_elsewhere_is_a_warning(tmp_path):
    folder = stopped(tmp_path / "run")
    record = json.loads((folder / "composition.json").read_text())
    record["versions"]["tiny-wheel"] = "3.0"
    (folder / "composition.json").write_text(json.dumps(record))
    with pytest.warns(RunWarning, match="tiny-wheel is 3.0, not 3.1"):
        run(folder, resume=True)


def test_a_run_is_never_overwritten(tmp_path, finished):
    before = content(finished)
    with pytest.raises(RunError, match="already holds a run") as fault:
        run(finished, train_seed=2)
    assert "a finished run" in fault.value.found
    assert "--" not in fault.value.fix  # the same from Python
    assert content(finished) == before

    cut = stopped(tmp_path / "cut")
    before = content(cut)
    with pytest.raises(RunError) as fault:
        run(cut)
    assert "not finished" in fault.value.found
    assert content(cut) == before


def test_files_of_others_stay(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    run(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="is a file"):
        run(tmp_path / "file")
    with pytest.raises(StorageError, match="cannot be written"):
        run(tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "mine"


def test_one_process_at_a_time(tmp_path):
    folder = stopped(tmp_path / "run")
    before = content(folder)
    with RunDir(folder).claimed(), pytest.raises(RunError, match="another process"):
        run(folder, resume=True)
    assert content(folder) == before
    run(folder, resume=True)


def test_a_start_that_fails_leaves_no_folder(tmp_path, monkeypatch):
    def fail(*arguments):
        raise ValueError

    with monkeypatch.context() as patched:
        patched.setattr("tests.engine.tiny.TinyHead.__init__", fail)
        with pytest.raises(ValueError):  # noqa: PT011, it stands for anything
            run(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_too_little_space_is_said_before_training(tmp_path, monkeypatch):
    class Usage:
        free = 1000

    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage)
    with pytest.raises(StorageError, match="not enough disk space") as fault:
        run(tmp_path / "new")
    assert "0 MiB free" in fault.value.found
    assert list(tmp_path.iterdir()) == []


@contextmanager
def no_file_larger_than(size):
    """As on a full disk: a write fails half-way."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [1000, 20_000])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, size):
    folder, values = tmp_path / "run", {"encoder_width": 64}
    run(tmp_path / "straight", **values)
    with no_file_larger_than(size), pytest.raises(StorageError, match="no space left") as fault:
        run(folder, **values)
    assert str(folder) in fault.value.where
    left = {path.name for path in folder.rglob("*")} if folder.exists() else set()
    assert left == (set() if size == 1000 else {"composition.json", "resume"})
    run(folder, resume=True, **values)
    assert numbers(folder) == numbers(tmp_path / "straight")


def test_a_full_disk_later_keeps_the_last_whole_state(tmp_path, finished):
    cut = stopped(tmp_path / "cut", after=2)
    before = content(cut)
    with no_file_larger_than(2000), pytest.raises(StorageError):
        run(cut, resume=True)
    assert {name: text for name, text in content(cut).items() if name in before} == before
    run(cut, resume=True)
    assert numbers(cut) == numbers(finished)


def test_a_loss_that_is_no_number(tmp_path):
    with pytest.raises(TrainingError) as fault:
        run(tmp_path / "run", dataset_spoiled=True, train_batch_size=26)
    assert fault.value.where == "epoch 1, step 1"
    assert "event nan" in fault.value.found
    assert "train.clip_norm" in fault.value.fix
    assert {path.name for path in (tmp_path / "run").rglob("*")} == {"composition.json", "resume"}


@pytest.mark.parametrize("name", ["resume/state.safetensors", "composition.json"])
@pytest.mark.parametrize("spoil", ["cut", "empty", "foreign"])
def test_damaged_files_are_named(tmp_path, name, spoil):
    folder = stopped(tmp_path / "run")
    file = folder / name
    whole = file.read_bytes()
    file.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "foreign": b"[1, 2, 3]"}[spoil])
    with pytest.raises(RunError) as fault:
        run(folder, resume=True)
    assert str(file) in fault.value.where


def test_a_state_of_another_model_is_refused(tmp_path):
    folder = stopped(tmp_path / "run")
    tensors, meta = load_tensors(folder / "resume" / "state.safetensors")
    del tensors["model.head.event.weight"]
    tensors["model.encoder.audio.bias"] = torch.zeros(3)
    save_tensors(folder / "resume" / "state.safetensors", tensors, meta)
    with pytest.raises(RunError, match="do not fit") as fault:
        run(folder, resume=True)
    assert "missing head.event.weight" in fault.value.found
    assert "encoder.audio.bias is (3,), not (8,)" in fault.value.found
