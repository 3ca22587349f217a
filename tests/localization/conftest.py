"""Small clips of a moving square and a tone, and a run trained on their features."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from avelzoo.api import run
from avelzoo.builtin.launchers.configs import InlineConfig
from avelzoo.extraction.request import ExtractionRequest
from avelzoo.extraction.running import extract
from avelzoo.media.writing import write_clip
from avelzoo.plugin.default import default_host

FPS, RATE = 4, 16000
CATEGORIES = ("red low", "green high")


def write_video(path, seconds, on, k=0, *, sound=True, pictures=True):
    """A clip with an event of category k in the seconds ``on``."""
    rng = np.random.default_rng(len(path.name) + k)

    def frames():
        for f in range(round(seconds * FPS)):
            image = np.full((32, 48, 3), 40, np.uint8)
            if pictures and f // FPS in on:
                x = (f * 5) % 32
                image[8:24, x : x + 16, k] = 255
            yield image

    t = np.arange(round(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * (300, 3000)[k] * t) * 0.5 * np.isin(t.astype(int), list(on))
    audio = (tone + 0.01 * rng.standard_normal(len(t))).astype(np.float32) if sound else None
    write_clip(path, frames(), audio, FPS, RATE)


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Folder of twelve clips of five seconds, and their labels."""
    folder = tmp_path_factory.mktemp("clips")
    rows = []
    for i in range(12):
        on = range(i % 3, i % 3 + 2)
        write_video(folder / f"clip{i:02d}.mp4", 5, on, i % 2)
        rows.append((f"clip{i:02d}.mp4", CATEGORIES[i % 2], on[0], on[-1] + 1))
    with (folder / "labels.csv").open("w") as file:
        csv.writer(file).writerows([("video", "category", "start", "end"), *rows])
    return folder


@pytest.fixture(scope="session")
def trained(clips, tmp_path_factory):
    """Run folder of a system trained on the clips' features."""
    top = tmp_path_factory.mktemp("trained")
    request = ExtractionRequest(out=top / "data", videos=(clips,), table=clips / "labels.csv", shares=(0.5, 0.25, 0.25))
    extract(request, host=default_host(), launcher=InlineConfig())
    options = {"encoder.width": 16, "train.epochs": 40, "dataset.root": str(top / "data"), "train.test_curve": False}
    options |= {"optimizer.learning_rate": 0.01}
    return run("double-branch", dataset="ave", encoder="mean-pool", options=options, out=top / "run").run_dir
