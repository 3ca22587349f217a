"""An extraction killed at random moments, then repeated: byte-identical files, and finished videos stay finished."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.extraction.clips import clip
from tests.extraction.test_extract import digest

KILLS = {"inline": 3, "local": 2}
OPTIONS = ("--visual.frames", "4", "--device", "cpu", "--quiet")


def start(root: Path, *argv: str | Path) -> subprocess.Popen[bytes]:
    environ = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "avelzoo", "extract", *map(str, argv), *OPTIONS]
    return subprocess.Popen(words, env=environ, stderr=subprocess.DEVNULL, start_new_session=True)


def finished(out: Path) -> int:
    return len(list((out / "journal" / "videos").glob("*.f32")))


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize("launcher", ["inline", "local"])
def test_killed_and_repeated(root: Path, tmp_path: Path, launcher: str) -> None:
    rng = np.random.default_rng(len(launcher))
    videos = tmp_path / "videos"
    for seed in range(12):
        clip(videos / f"{seed:02d}.mp4", 3, seed)
    (videos / "broken.mp4").write_bytes(b"no video" * 20)
    table = videos / "labels.csv"
    lines = [f"{seed:02d}.mp4,{'dog' if seed % 2 else 'bell'},{seed % 2},3\n" for seed in range(12)]
    table.write_text("video,category,start,end\n" + "".join(lines))
    assert start(root, "--table", table, "--out", tmp_path / "whole").wait() == 0
    wanted, out = digest(tmp_path / "whole"), tmp_path / "out"
    how = () if launcher == "inline" else ("--launcher", "local", "--launcher.workers", "2")
    kills, seen = 0, 0
    while kills < KILLS[launcher]:
        process = start(root, "--table", table, "--out", out, *how)
        goal = min(finished(out) + int(rng.integers(1, 5)), 11)
        deadline = time.monotonic() + 120
        while finished(out) < goal and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(rng.random() * 0.3)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
        assert finished(out) >= seen, "finished videos were lost"
        seen = finished(out)
        assert not (out / "features.json").exists() or digest(out) == wanted
    assert start(root, "--table", table, "--out", out, *how).wait() == 0
    assert digest(out) == wanted
