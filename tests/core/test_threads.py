"""How many threads a process computes with, and how long they wait actively."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from avelzoo.system import threads
from avelzoo.system.threads import Load, asked_threads, bound_spinning, spin_bounds, usable_cores


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """``machine(busy=1.5)``: what /proc says on four cores of which other programs keep some busy."""
    for name in threads.COUNTS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    monkeypatch.setattr(threads.time, "sleep", lambda _: None)
    clock = {"now": 100.0}
    monkeypatch.setattr(threads.time, "perf_counter", lambda: clock["now"])
    monkeypatch.setattr(threads.time, "process_time", lambda: clock["now"] - 100.0)  # this process keeps one core busy
    ticks = os.sysconf("SC_CLK_TCK")

    def made(busy: float) -> Load:
        stat = tmp_path / "stat"
        stat.write_text("cpu  0 0 0 900 50 0 0 0 0 0\ncpu0 1 2 3\n")
        load = Load(tmp_path)
        clock["now"] += 2.0
        used = round(2.0 * (busy + 1) * ticks)
        stat.write_text(f"cpu  {used // 2} 0 {used - used // 2} 999 77 0 0 0 0 0\ncpu0 1 2 3\n")
        return load

    return made


@pytest.fixture
def four(monkeypatch):
    """PyTorch's own choice is four threads; how many it is told is noted."""
    told = [4]
    monkeypatch.setattr(torch, "get_num_threads", lambda: told[-1])
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    return told


def test_what_others_keep_busy_is_measured_without_this_process(machine):
    assert machine(1.5).others() == pytest.approx(1.5, abs=0.02)
    assert machine(0.0).others() == pytest.approx(0.0, abs=0.02)
    assert Load(Path("/nowhere")).others() == 0.0


@pytest.mark.parametrize(("busy", "count"), [(0.0, 4), (0.4, 4), (1.2, 3), (2.6, 1), (9.0, 1)])
def test_as_many_threads_as_cores_are_free(machine, four, busy, count):
    with threads.threads(None, load=machine(busy)) as why:
        assert four[-1] == count
        assert why.startswith(f"{count} of 4: other programs keep {busy:.1f} cores busy") or (count == 4 and not why)
    assert four[-1] == 4, "afterwards as before"


def test_what_was_asked_for_wins(machine, four, monkeypatch):
    with threads.threads(3, recorded=2, load=machine(9.0)) as why:
        assert (four[-1], why) == (3, "3, from --threads")
        assert {os.environ[name] for name in threads.COUNTS} == {"3"}, "for the processes that this one starts"
    assert not set(threads.COUNTS) & set(os.environ)
    with threads.threads(None, recorded=2, load=machine(9.0)) as why:
        assert (four[-1], why) == (2, "2, as when the run began")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with threads.threads(None, recorded=2, load=machine(9.0)) as why:
        assert (four[-1], why) == (4, "4, from OMP_NUM_THREADS"), "PyTorch has read it itself"
    assert os.environ["OMP_NUM_THREADS"] == "7"


@pytest.mark.parametrize(("told", "count"), [("", None), ("3", 3), ("0", None), ("many", None)])
def test_what_the_environment_asks_for(monkeypatch, told, count):
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert asked_threads() == count


@pytest.mark.parametrize(
    ("entry", "files", "cores"),
    [
        ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "250000 100000"}, 2),
        ("0::/a", {"a/cpu.max": "50000 100000"}, 1),
        ("0::/", {"cpu.max": "max 100000"}, 4),
        ("3:cpu,cpuacct:/a", {"cpu/a/cpu.cfs_quota_us": "300000", "cpu/a/cpu.cfs_period_us": "100000"}, 3),
        ("3:cpu:/a", {"cpu/a/cpu.cfs_quota_us": "-1", "cpu/a/cpu.cfs_period_us": "100000"}, 4),
        ("5:memory:/a", {"memory/a/cpu.max": "100000 100000"}, 4),
    ],
)
def test_a_quota_of_processor_time_counts(tmp_path, monkeypatch, entry, files, cores):
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text(entry + "\n")
    for name, text in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    assert usable_cores(tmp_path, tmp_path / "groups") == cores


@pytest.mark.parametrize("name", ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"])
def test_whoever_says_how_threads_wait_is_left_alone(name):
    assert spin_bounds({}) == threads.SPIN
    assert spin_bounds({name: "ACTIVE"}) == {}


def test_a_process_with_torch_is_left_alone(monkeypatch):
    for name in ("OMP_WAIT_POLICY", *threads.SPIN):
        monkeypatch.delenv(name, raising=False)
    assert not bound_spinning()
    assert not set(threads.SPIN) & set(os.environ)


def test_the_command_line_bounds_it_before_torch_starts(root):
    script = (
        "import os, sys; from avelzoo.cli import main; sys.argv = ['avelzoo', '--version']; print(main())\n"
        "print(os.environ.get('GOMP_SPINCOUNT')); assert 'torch' not in sys.modules"
    )
    environ = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", *threads.SPIN)}
    environ |= {"PYTHONPATH": os.pathsep.join([str(root), *sys.path])}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environ, check=True)
    assert done.stdout.split()[-1] == threads.SPIN["GOMP_SPINCOUNT"]
