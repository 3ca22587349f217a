"""An extraction killed at random moments, then repeated: byte-identical files, and finished videos stay finished."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.extraction.clips import clip


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(("launcher", "kills"), [("inline", 3), ("local", 2)])
def test_killed_and_repeated(root: Path, tmp_path: Path, warning_options: list[str], launcher: str, kills: int) -> None:
    videos = tmp_path / "videos"
    for seed in range(12):
        clip(videos / f"{seed:02d}.mp4", 3, seed)
    (videos / "broken.mp4").write_bytes(b"no video" * 20)
    lines = [f"{seed:02d}.mp4,{'dog' if seed % 2 else 'bell'},{seed % 2},3\n" for seed in range(12)]
    (videos / "labels.csv").write_text("video,category,start,end\n" + "".join(lines))
    words = [sys.executable, *warning_options, "-m", "tests.extraction.killing", tmp_path, launcher, str(kills)]
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, cwd=root, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
