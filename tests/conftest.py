"""What every test can rely on: where the project is, and where the material beside it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# One thread per test process: tensors are tiny, and threads of several workers would only fight over the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Tables are as wide here as in a wide terminal: parallel test processes would see 80 columns and fold paths.
os.environ["COLUMNS"] = "160"

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
