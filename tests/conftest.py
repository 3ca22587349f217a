"""What every test can rely on: where the project is, and where the material beside it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

# One thread per test process: tensors are tiny, and threads of several workers would only fight over the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Tables are as wide here as in a wide terminal: parallel test processes would see 80 columns and fold paths.
os.environ["COLUMNS"] = "160"

# Files of tests need not outlive a loss of power: without this, tests of runs mostly wait for the disk.
os.fsync = lambda fd: None

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The read-only material beside the project: parity files, AVE's annotations, the paper."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder 'shared' beside the project")
    return folder


@pytest.fixture(scope="session")
def warning_options(pytestconfig: pytest.Config) -> list[str]:
    """Interpreter options that treat warnings as this test run does; only pytest knows patterns of messages."""
    filters = [*pytestconfig.getini("filterwarnings"), *(pytestconfig.getoption("pythonwarnings") or [])]
    return [word for line in filters if not "".join(line.split(":")[1:2]) for word in ("-W", line)]


# Modules whose tests train, start programs or go through every recipe: `make test-fast` leaves them out.
SLOW = (
    "plugins/*/tests/*",
    "tests/bench/*",
    "tests/cli/test_composing.py",
    "tests/cli/test_demo_video.py",
    "tests/cli/test_export.py",
    "tests/cli/test_failures.py",
    "tests/cli/test_moving.py",
    "tests/cli/test_process.py",
    "tests/cli/test_running.py",
    "tests/cli/test_streams.py",
    "tests/checkpoints/test_modules.py",
    "tests/core/test_allocator.py",
    "tests/core/test_installed.py",
    "tests/data/test_data_commands.py",
    "tests/data/test_pack.py",
    "tests/data/test_same_answers.py",
    "tests/data/test_simulate.py",
    "tests/engine/*",
    "tests/extraction/test_extract.py",
    "tests/extraction/test_kills.py",
    "tests/exporting/*",
    "tests/golden/*",
    "tests/extractors/test_cnn14.py",
    "tests/extractors/test_vggish.py",
    "tests/localization/test_localizer.py",
    "tests/localization/test_commands.py",
    "tests/models/test_devices.py",
    "tests/models/test_waiting.py",
    "tests/parity/*",
    "tests/reporting/*",
    "tests/sweeps/*",
    "tests/test_api.py",
    "tests/test_conformance.py",
    "tests/test_docs.py",
    "tests/test_gpu_check.py",
    "tests/test_grid.py",
    "tests/test_layers.py",
    "tests/test_profiling.py",
    "tests/test_scaffold.py",
    "tests/test_terms.py",
    "tests/worlds/*",
)


@cache
def is_slow(module: Path) -> bool:
    """Whether a module is one of those."""
    path = module.relative_to(ROOT) if module.is_relative_to(ROOT) else module
    return any(path.match(pattern) for pattern in SLOW)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no slow module for ``-m "not slow"``, which would take longer than many of the tests."""
    return True if config.getoption("markexpr") == "not slow" and is_slow(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of slow modules."""
    for item in items:
        if is_slow(item.path):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Refuse a test that leaves a plugin file loaded: it would run in all later tests of this process."""
    yield
    if "avelzoo.plugin.default" in sys.modules:
        from avelzoo.plugin.default import default_host

        left = [record.name for record in default_host().records if record.distribution.endswith(".py")]
        for name in left:
            default_host().remove(name)
        assert not left, f"{item.nodeid} leaves plugin files loaded in this process: {left}"
