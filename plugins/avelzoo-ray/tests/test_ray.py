"""The launcher on a real cluster: two nodes on this machine, of which one is lost in the middle, and a worker too."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from avelzoo.cli import main
from avelzoo.config import options
from avelzoo.plugin.default import default_host

ray = pytest.importorskip("ray", reason="ray is not installed")

GATES = Path(__file__).resolve().with_name("gates.py")
STORE = 80 * 2**20
SMALL = {
    "dataset.train_videos": 16,
    "dataset.val_videos": 8,
    "dataset.test_videos": 8,
    "dataset.segments": 4,
    "encoder.width": 8,
    "memory.size": 2,
    "train.epochs": 2,
    "train.batch_size": 8,
}
SYSTEM = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 1000,
    "health_check_failure_threshold": 3,
    "worker_niceness": 0,
}
PATIENCE = 300.0


class TwoNodes:
    """Two nodes with a CPU each; jobs that wait at gates are killed from a thread beside the command."""

    def __init__(self, cluster: Any, gates: Path) -> None:
        self.cluster, self.gates = cluster, gates
        self.second: Any = None
        self.over = threading.Event()

    def grow(self) -> None:
        """Add the second node."""
        self.second = self.cluster.add_node(num_cpus=1, object_store_memory=STORE)

    def losing(self, *names: str) -> threading.Thread:
        """As soon as a job waits at each gate: kill the process on the first node, and the whole second node."""
        thread = threading.Thread(target=self._lose, args=(names,))
        thread.start()
        return thread

    def _lose(self, names: tuple[str, ...]) -> None:
        deadline = time.monotonic() + PATIENCE
        reached: dict[str, list[str]] = {}
        while len(reached) < len(names) and time.monotonic() < deadline and not self.over.wait(0.05):
            files = [self.gates / name for name in names]
            reached = {file.name: file.read_text().split() for file in files if file.exists() and file.read_text()}
        for pid, node in reached.values():
            if node != self.second.node_id:
                os.kill(int(pid), signal.SIGKILL)
        self.cluster.remove_node(self.second, allow_graceful=False)
        self.lost = {node for _, node in reached.values()}


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwoNodes]:
    """The cluster. Without tokens: they would be kept in the user's home."""
    from ray.cluster_utils import Cluster

    gates = tmp_path / "gates"
    gates.mkdir()
    for name, value in {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AVELZOO_GATES", str(gates))
    monkeypatch.delenv("AVELZOO_DEBUG", raising=False)
    head = {"num_cpus": 1, "object_store_memory": STORE, "include_dashboard": False, "_system_config": SYSTEM}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = TwoNodes(cluster, gates)
    try:
        yield nodes
    finally:
        nodes.over.set()
        ray.shutdown()
        cluster.shutdown()


Run = Callable[..., tuple[str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """A command in this process: what it says on stdout and on stderr. Its plugin file is forgotten after the test."""

    def run(*argv: str | Path) -> tuple[str, str]:
        capsys.readouterr()
        assert main([str(word) for word in argv]) == 0
        out, err = capsys.readouterr()
        return out, err

    yield run
    if GATES in default_host().files:
        default_host().remove(GATES.stem)


@pytest.mark.filterwarnings("default::avelzoo_ray.losses.LostWorkerWarning")
def test_contract_sweep_extraction_and_lost_workers(nodes: TwoNodes, command: Run, tmp_path: Path) -> None:
    """One test, so that parallel test processes do not start a cluster each."""
    from avelzoo_ray.config import RayConfig

    from avelzoo.testing import run_checks

    nodes.grow()
    on_ray = ("--launcher", "ray", "--launcher.address", nodes.cluster.address)
    a_sweep_survives(nodes, command, tmp_path, on_ray)
    assert ray.is_initialized(), "the launcher is connected until the process ends"
    nodes.grow()
    an_extraction_survives(nodes, command, tmp_path, on_ray)
    assert [finding for finding in run_checks(RayConfig(restarts=0)) if finding.error] == []
    a_job_that_always_dies_is_one_error(tmp_path)


def a_sweep_survives(nodes: TwoNodes, command: Run, tmp_path: Path, on_ray: tuple[str, ...]) -> None:
    """Both of its runs are interrupted after an epoch, and give what they give without Ray."""
    values = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]
    sweep = ("--plugin", GATES, "run", "ead-b", "--encoder", "mean-pool", "--seeds", "2", *values, "--device", "cpu")
    folder = tmp_path / "sweep"
    names = ("seed=0", "seed=1")
    loses = nodes.losing(*(f"run-{name}" for name in names))
    out, err = command(*sweep, "--out", folder, *on_ray)
    loses.join()
    assert len(nodes.lost) == 2, "the runs were on both nodes"
    said = [line for line in err.splitlines() if "was lost" in line]
    assert sorted(line.split("'")[1] for line in said) == list(names), err
    assert all(line.startswith("warning: the worker of ") and "attempt 2 of 3" in line for line in said)
    assert any("its process died" in line for line in said)
    assert any("its machine is gone" in line for line in said)
    assert "state-dump" not in out + err
    command(*sweep, "--out", tmp_path / "alone")
    for name in names:
        one, other = (base / "runs" / name for base in (folder, tmp_path / "alone"))
        assert (one / "best.safetensors").read_bytes() == (other / "best.safetensors").read_bytes()
        scores = [json.loads((run / "result.json").read_text())["scores"] for run in (one, other)]
        assert scores[0] == scores[1]
        assert len((one / "metrics.jsonl").read_text().splitlines()) == 2, "no epoch was trained twice"
        assert (folder / "logs" / f"{name}.log").exists()


def an_extraction_survives(nodes: TwoNodes, command: Run, tmp_path: Path, on_ray: tuple[str, ...]) -> None:
    """Its final files are those of an extraction in one process, byte for byte."""
    pytest.importorskip("av", reason="PyAV is not installed")
    from tests.extraction.clips import clip
    from tests.extraction.test_extract import digest, records

    videos = [clip(tmp_path / "videos" / f"{seed}.mp4", 2, seed) for seed in range(8)]
    visual = ("--visual.frames", "2", "--audio", "level", "--device", "cpu")
    extract = ("--plugin", GATES, "extract", tmp_path / "videos", *visual)
    loses = nodes.losing("video-1", "video-2")
    _, err = command(*extract, "--out", tmp_path / "mine", *on_ray)
    loses.join()
    assert len(nodes.lost) == 2
    assert err.count("was lost") == 2, err
    assert "failed" not in err
    assert len(records(tmp_path / "mine")) == len(videos)
    command(*extract, "--out", tmp_path / "whole")
    assert digest(tmp_path / "mine") == digest(tmp_path / "whole")


def a_job_that_always_dies_is_one_error(tmp_path: Path) -> None:
    """It names the job, the number of attempts and the log; the other job is not concerned."""
    from avelzoo_ray.config import RayConfig
    from avelzoo_ray.losses import LostWorkerWarning

    from avelzoo import Job

    log = tmp_path / "logs" / "bad.log"
    jobs = [
        Job(name="bad", call="os:_exit", arguments={"status": 3}, log=str(log)),
        Job(name="good", call="json:dumps", arguments={"obj": [1]}),
    ]
    with pytest.warns(LostWorkerWarning, match="worker of 'bad' was lost .*attempt 2 of 2") as warned:
        found = {outcome.job: outcome for outcome in RayConfig(restarts=1).build().launch(jobs)}
    assert len(warned) == 1
    assert found["good"].value == "[1]"
    error = found["bad"].error
    assert error is not None
    assert error["problem"] == "the worker of 'bad' was lost in each of 2 attempts"
    assert error["where"] == str(log)
    assert str(log) in error["fix"]


def test_an_unreachable_cluster_is_one_message() -> None:
    from avelzoo_ray.config import RayConfig

    from avelzoo import Job
    from avelzoo.errors import RunError

    jobs = [Job(name="a", call="builtins:dict")]
    with pytest.raises(RunError, match="Ray cannot be reached") as fault:
        list(RayConfig(address="127.0.0.1:9").build().launch(jobs))
    assert "ray start --head" in fault.value.fix


def test_it_is_registered_with_its_options() -> None:
    entry = default_host().registry.get("launcher", "ray")
    assert entry.distribution == "avelzoo-ray"
    assert {option.name for option in options(entry.target)} >= {"address", "cpus", "gpus", "memory_mb", "restarts"}
