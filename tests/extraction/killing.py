"""Kills extractions at random moments and repeats them: ``python -m tests.extraction.killing FOLDER LAUNCHER KILLS``.

One interpreter forks them all, so that libraries are imported once; FOLDER holds the videos and their table.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from pathlib import Path

import av  # noqa: F401, what every extraction needs
import numpy as np
import torch  # noqa: F401

from avelzoo.cli import main
from tests.extraction.test_extract import digest

OPTIONS = ("--visual.frames", "4", "--device", "cpu", "--quiet")

os.fsync = lambda fd: None  # what a killed process wrote is there all the same


def start(*argv: str | Path) -> int:
    """Starts an extraction in a process of its own, the first of a group; returns its id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setsid()
            code = main(["extract", *map(str, argv), *OPTIONS])
        except BaseException:  # noqa: BLE001, nothing of the child may reach the parent's code
            traceback.print_exc()
        os._exit(code)
    return child


def ended(process: int) -> bool:
    """Whether a process has ended; it can still be waited for."""
    return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def code_of(process: int) -> int:
    """The exit code of a process, once it has ended."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def finished(out: Path) -> int:
    """How many videos have been extracted."""
    return len(list((out / "journal" / "videos").glob("*.f32")))


def kill_and_repeat(root: Path, launcher: str, kills: int) -> None:
    """Finished videos stay finished, and the files are those of an extraction that nobody disturbed."""
    rng = np.random.default_rng(len(launcher))
    table, whole, out = root / "videos" / "labels.csv", root / "whole", root / "out"
    assert code_of(start("--table", table, "--out", whole)) == 0
    wanted, seen = digest(whole), 0
    how = () if launcher == "inline" else ("--launcher", launcher, "--launcher.workers", "2")
    for _ in range(kills):
        process = start("--table", table, "--out", out, *how)
        goal = min(finished(out) + int(rng.integers(1, 5)), 11)
        deadline = time.monotonic() + 120
        while finished(out) < goal and not ended(process) and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(rng.random() * 0.3)
        os.killpg(process, signal.SIGKILL)
        code_of(process)
        assert finished(out) >= seen, "finished videos were lost"
        seen = finished(out)
        assert not (out / "features.json").exists() or digest(out) == wanted
    assert code_of(start("--table", table, "--out", out, *how)) == 0
    assert digest(out) == wanted


if __name__ == "__main__":
    kill_and_repeat(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
