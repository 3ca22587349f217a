"""Where jobs run: limits of cores and memory, deaths, and what is left when the launcher is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import closing

import pytest

from avelzoo.builtin.launchers.configs import InlineConfig, LocalConfig
from avelzoo.builtin.launchers.local import Local
from avelzoo.components import BASES, KINDS, LauncherConfig
from avelzoo.composition.recipe import SLOTS
from avelzoo.jobs import Job, Outcome, perform
from avelzoo.plugin.default import default_host
from avelzoo.plugin.hookspecs import hookimpl
from avelzoo.plugin.host import PluginHost
from avelzoo.system.memory import SLACK, MemoryBudget, available_mb, rss_mb


def shell_job(name, script, **more):
    return Job(name=name, call="subprocess:call", arguments={"args": ["sh", "-c", script]}, **more)


def outcomes(config, *jobs):
    return {outcome.job: outcome for outcome in config.build().launch(jobs)}


def test_a_launcher_is_no_slot():
    assert "launcher" in BASES
    assert "launcher" not in KINDS
    assert "launcher" not in SLOTS


def test_a_plugin_can_bring_one():
    class Backwards(LauncherConfig):
        """Last job first."""

        def build(self):
            raise AssertionError

    class Plugin:
        @hookimpl
        def avelzoo_register(self, zoo):
            zoo.launcher("backwards", Backwards)

    host = PluginHost(entry_points=False)
    host.add(Plugin(), name="backwards", distribution="avelzoo-backwards", version="1")
    assert host.registry.names("launcher") == ["backwards", "inline", "local"]
    assert host.registry.get("launcher", "backwards").qualified == "backwards/backwards"


def test_inline_keeps_the_order():
    jobs = [Job(name=str(i), call="builtins:dict", arguments={"i": i}) for i in range(3)]
    assert [outcome.job for outcome in InlineConfig().build().launch(jobs)] == ["0", "1", "2"]


def test_outcomes_survive_json():
    outcome = perform(Job(name="a", call="json:loads", arguments={"s": "{"}))
    assert outcome.error["problem"].startswith("an unexpected JSONDecodeError")
    assert Outcome.from_dict(json.loads(json.dumps(outcome.to_dict()))) == outcome


def test_never_more_workers_than_allowed(tmp_path):
    """Each job notes how many others there are beside it."""
    script = f"cd {tmp_path}; touch on-$0; ls | grep -c on-; sleep 0.3; rm on-$0"
    jobs = [shell_job(str(i), script.replace("$0", str(i)), log=str(tmp_path / "logs" / f"{i}.log")) for i in range(4)]
    assert all(outcome.error is None for outcome in outcomes(LocalConfig(workers=2, memory_mb=1), *jobs).values())
    beside = [int((tmp_path / "logs" / f"{i}.log").read_text().split()[0]) for i in range(4)]
    assert max(beside) <= 2


def test_cores_and_gpus_are_shared_out():
    names = ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
    jobs = [Job(name=f"{i} {name}", call="os:getenv", arguments={"key": name}) for i in range(2) for name in names]
    jobs.append(Job(name="own", call="os:getenv", arguments={"key": names[0]}, threads=7))
    found = outcomes(LocalConfig(workers=1, threads=3, gpus=(5,)), *jobs)
    assert {name: outcome.value for name, outcome in found.items()} == {
        "0 OMP_NUM_THREADS": "3",
        "1 OMP_NUM_THREADS": "3",
        "0 CUDA_VISIBLE_DEVICES": "5",
        "1 CUDA_VISIBLE_DEVICES": "5",
        "own": "7",
    }


def test_a_killed_process_is_told_with_its_memory(tmp_path):
    log = str(tmp_path / "dead.log")
    found = outcomes(
        LocalConfig(workers=1), shell_job("dead", "echo last words; kill -9 $PPID", log=log), shell_job("after", "true")
    )
    error = found["dead"].error
    assert error["problem"] == "the process of 'dead' was killed; the system may have run out of memory"
    assert "MiB" in error["found"]
    assert log in error["fix"]
    assert (tmp_path / "dead.log").read_text() == "last words\n"
    assert found["after"].value == 0


def test_prints_do_not_reach_the_answer(tmp_path):
    log = tmp_path / "said.log"
    job = Job(name="said", call="builtins:exec", arguments={}, log=str(log))
    assert "TypeError" in outcomes(LocalConfig(), job)["said"].error["problem"]
    assert "Traceback" in log.read_text()


def test_closing_stops_what_runs(tmp_path):
    mark = tmp_path / "pid"
    jobs = [shell_job("quick", "true"), shell_job("slow", f"echo $$ > {mark}; exec sleep 60")]
    with closing(Local(LocalConfig(workers=2, memory_mb=1)).launch(jobs)) as found:
        assert next(found).job == "quick"
        wait_for(lambda: mark.exists() and mark.read_text().strip())
    wait_for(lambda: not alive(int(mark.read_text())))


@pytest.mark.skipif(sys.platform == "win32", reason="the launcher needs Linux or macOS")
def test_a_killed_launcher_leaves_nobody_behind(tmp_path, root):
    mark = tmp_path / "pid"
    code = (
        "from avelzoo.builtin.launchers.configs import LocalConfig; from avelzoo.jobs import Job\n"
        f"call = {{'args': ['sh', '-c', 'echo $$ > {mark}; exec sleep 60']}}\n"
        "list(LocalConfig().build().launch([Job(name='a', call='subprocess:call', arguments=call)]))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=root)
    wait_for(lambda: mark.exists() and mark.read_text().strip())
    parent.kill()
    parent.wait()
    wait_for(lambda: not alive(int(mark.read_text())))


def wait_for(condition, patience=30.0):
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def alive(pid):
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.parametrize(
    ("running", "free", "known", "fits"),
    [
        ([], 0, None, True),  # one always runs
        ([(500, 500)], None, None, True),  # nobody knows
        ([(1000, 1000)], 1099, None, False),
        ([(1000, 1000)], 1100, None, True),  # 1000 for it, 100 are left
        ([(200, 200)], 1899, None, False),  # the other one will claim 800 more
        ([(200, 200)], 1900, None, True),
        ([(200, 1500)], 2900, None, True),  # one held 1500: it may again, and so may the next
        ([(200, 1500)], 2899, None, False),
        ([(1000, 1000)], 400, 300, False),  # what runs holds more than is known of this one
        ([(300, 300)], 400, 300, True),
    ],
)
def test_room(running, free, known, fits):
    assert MemoryBudget(guess=1000, keep_free=100).fits(running, free, known) == fits


def test_measured_jobs_replace_the_guess():
    room = MemoryBudget(guess=1000, keep_free=0)
    assert room.need([]) == 1000
    assert room.need([], known=400) == 400
    room.finished(100)
    room.finished(None)
    room.finished(50)
    assert room.need([]) == pytest.approx(100 * SLACK)
    assert room.need([300.0]) == 300


def test_memory_of_this_machine():
    free = available_mb()
    assert free is None or free > 0
    if sys.platform == "linux":
        assert rss_mb(os.getpid()) > 1
    assert rss_mb(2**22 + 1) == 0


MEMINFO = "MemTotal: 4096000 kB\nMemAvailable: 2048000 kB\n"


@pytest.mark.parametrize(
    ("entry", "folder", "names", "stat"),
    [
        ("0::/a/b", "a", ("memory.max", "memory.current"), "inactive_file"),
        ("9:cpu,memory:/a/b", "memory/a", ("memory.limit_in_bytes", "memory.usage_in_bytes"), "total_inactive_file"),
    ],
)
def test_a_container_has_less(tmp_path, entry, folder, names, stat):
    proc, groups = tmp_path / "proc", tmp_path / "groups"
    (proc / "self").mkdir(parents=True)
    (proc / "self" / "cgroup").write_text(f"1:name=systemd:/\n{entry}\n")
    (proc / "meminfo").write_text(MEMINFO)
    own = groups / folder
    (own / "b").mkdir(parents=True)
    assert available_mb(proc, groups) == 2000
    for name, value in zip(names, (600 * 2**20, 500 * 2**20), strict=True):
        (own / name).write_text(f"{value}\n")
    (own / "memory.stat").write_text(f"anon 5\n{stat} {50 * 2**20}\n")
    (own / "b" / names[0]).write_text("max\n")
    assert available_mb(proc, groups) == 150


def test_built_in_launchers_are_registered():
    registry = default_host().registry
    assert {"inline", "local"} <= set(registry.names("launcher"))
    assert registry.entry_of(LocalConfig(workers=3)).name == "local"


def test_a_job_that_ends_the_program_is_a_failed_job():
    outcome = perform(Job(name="a", call="sys:exit", arguments={}))
    assert outcome.error["problem"] == "the program was ended by a call of sys.exit: SystemExit"
