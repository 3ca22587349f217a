"""Calling the command line: in process, which is quick, or as users do, which shows what is imported and printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from avelzoo.cli import main


@dataclass(frozen=True)
class Told:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The whole of stdout as JSON: anything beside it is an error."""
        return json.loads(self.out)


Call = Callable[..., Told]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """``call("list", "--json")`` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AVELZOO_DEBUG", raising=False)

    def run(*argv: str | Path) -> Told:
        capsys.readouterr()
        code = main([str(word) for word in argv])
        out, err = capsys.readouterr()
        return Told(code, out, err)

    return run


@pytest.fixture
def shell(tmp_path: Path, root: Path) -> Call:
    """``shell("list", "--json")`` in a process of its own, in an empty folder; more ``environ`` on request."""

    def run(*argv: str | Path, before: str = "", **environ: str) -> Told:
        path = os.pathsep.join(filter(None, [environ.pop("PYTHONPATH", ""), str(root)]))
        start = (
            ["-c", f"{before}\nimport sys\nfrom avelzoo.cli import main\nsys.exit(main())"]
            if before
            else ["-m", "avelzoo"]
        )
        done = subprocess.run(
            [sys.executable, *start, *map(str, argv)],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"} | environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return Told(done.returncode, done.stdout, done.stderr)

    return run
