"""Run folders with random predictions for any number of videos, and names that try to break out of a page."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np

from avelzoo.metrics import PredictionArrays, Truth, score

HOSTILE = (
    "</script><script>document.title='broken'</script>",
    '"><img src=x onerror="document.title=\'broken\'">',
    "<!--<script>",
    "dog & 'cat' · {{ 7 * 7 }}",
)


def make_run(folder: Path, template: Path, *, videos: int, seed: int, option: int = 8, name: str = "v") -> Path:
    """A finished run folder like ``template``, with random predictions of four hostile categories.

    Args:
        folder: the new folder.
        template: folder of a finished run.
        videos: number of test videos.
        seed: seed of the run and of the predictions; the truth is always the same.
        option: value of encoder.width, so that different values are different systems.
        name: beginning of the ids.
    """
    folder.mkdir(parents=True)
    n, t = len(HOSTILE), 10
    truth_rng, rng = np.random.default_rng(0), np.random.default_rng(seed + 1)
    events = truth_rng.integers(0, n, videos)
    on = truth_rng.random((videos, t)) < 0.7
    segments = np.where(on, events[:, None], n)
    flip = rng.random((videos, 1)) < 0.5
    found = np.where(flip & (rng.random((videos, t)) < 0.3), n, segments)
    scores = rng.random((videos, n)).astype(np.float32)
    arrays = {
        "segments": found,
        "category": scores.argmax(axis=1),
        "category_scores": scores,
        "relevance": rng.random((videos, t)).astype(np.float32),
        "audio_scores": rng.random((videos, t, n)).astype(np.float32),
        "visual_scores": rng.random((videos, t, n)).astype(np.float32),
    }
    with h5py.File(folder / "predictions.h5", "w") as file:
        file.attrs["categories"] = list(HOSTILE)
        file.attrs["seconds_per_segment"] = 1.0
        group = file.create_group("test")
        ids = [f"{name}{i:04d}" for i in range(videos)]
        ids[0] += "</script><b onclick='x'>"
        group.create_dataset("video_ids", data=ids, dtype=h5py.string_dtype())
        for key, array in (arrays | {"true_segments": segments, "true_events": events}).items():
            group.create_dataset(key, data=array)
        group.create_dataset("lengths", data=np.full(videos, t))
    truth = Truth(segments=segments, events=events, categories=HOSTILE)
    composition, result = (json.loads((template / f"{what}.json").read_text()) for what in ("composition", "result"))
    composition["slots"]["train"]["options"]["seed"] = seed
    composition["slots"]["encoder"]["options"]["width"] = option
    found_scores = score(PredictionArrays(**arrays), truth).to_dict()
    result |= {"seed": seed, "scores": {"val": found_scores, "test": found_scores}}
    (folder / "composition.json").write_text(json.dumps(composition))
    (folder / "result.json").write_text(json.dumps(result))
    (folder / "metrics.jsonl").write_text((template / "metrics.jsonl").read_text())
    return folder
