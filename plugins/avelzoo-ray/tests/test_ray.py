"""The launcher against a real Ray on this machine, started once for everything here."""

from __future__ import annotations

import os

import pytest

from avelzoo.config import options
from avelzoo.plugin.default import default_host

ray = pytest.importorskip("ray", reason="ray is not installed")

SMALL = {
    "dataset.train_videos": 16,
    "dataset.val_videos": 8,
    "dataset.test_videos": 8,
    "dataset.segments": 4,
    "encoder.width": 8,
    "memory.size": 2,
    "train.epochs": 1,
    "train.batch_size": 8,
}


@pytest.fixture
def here():
    """Ray with one worker process at a time. Without tokens: they would be kept in the user's home."""
    before = dict(os.environ)
    os.environ.update(RAY_AUTH_MODE="disabled", RAY_USAGE_STATS_ENABLED="0")
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield
    ray.shutdown()
    os.environ.clear()
    os.environ.update(before)


def test_contract_and_sweep(here, tmp_path):
    """One test, so that parallel test processes do not start a Ray each."""
    from avelzoo_ray.config import RayConfig

    import avelzoo
    from avelzoo.testing import run_checks

    config = RayConfig(restarts=0)
    assert [finding for finding in run_checks(config) if finding.error] == []

    over = {"optimizer.learning_rate": [1e-3, 1e30]}
    result = avelzoo.sweep(
        "ead-b", over=over, launcher=config, choices={"encoder": "mean-pool"}, options=SMALL, device="cpu",
        out=tmp_path / "s",
    )  # fmt: skip
    assert [cell.seeds for cell in result.cells] == [(0,), ()]
    assert ["not finite" in failure.error["problem"] for failure in result.failures] == [True]
    alone = avelzoo.run(
        "ead-b",
        encoder="mean-pool",
        options=SMALL | {"optimizer.learning_rate": 1e-3},
        device="cpu",
        out=tmp_path / "r",
    )
    folder = tmp_path / "s" / "runs" / result.cells[0].runs[0]
    assert avelzoo.load_run(folder).result.scores == alone.scores
    assert ray.is_initialized(), "a Ray that was there before is left there"


def test_an_unreachable_cluster_is_one_message():
    from avelzoo_ray.config import RayConfig

    from avelzoo import Job
    from avelzoo.errors import RunError

    jobs = [Job(name="a", call="builtins:dict")]
    with pytest.raises(RunError, match="there is no Ray to run on") as fault:
        list(RayConfig(address="127.0.0.1:9").build().launch(jobs))
    assert "ray start --head" in fault.value.fix


def test_it_is_registered_with_its_options():
    entry = default_host().registry.get("launcher", "ray")
    assert entry.distribution == "avelzoo-ray"
    assert {option.name for option in options(entry.target)} >= {"address", "cpus", "gpus", "memory_mb", "restarts"}
