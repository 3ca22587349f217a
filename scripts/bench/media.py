"""`extract` and `predict` beside their floors: decoding alone, and the networks' convolutions alone.

The program decodes in a thread while it computes, so nothing is faster than the slower of the two floors.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from torch import nn

from avelzoo import run
from avelzoo.components import LauncherConfig
from avelzoo.demo.clips import write_clips
from avelzoo.demo.frames import FPS, frames
from avelzoo.demo.scenes import draw_scenes
from avelzoo.demo.sounds import RATE, sound
from avelzoo.errors import DataError
from avelzoo.extraction.request import ExtractionRequest, Features
from avelzoo.extraction.running import extract
from avelzoo.extraction.throughput import Throughput
from avelzoo.extractors import AudioSampling, Extractor, FrameSampling
from avelzoo.localization.batch import predict_batch, throughput, videos_of
from avelzoo.localization.localizer import Localizer
from avelzoo.media.reading import read_media
from avelzoo.media.writing import write_clip
from avelzoo.plugin.default import default_host
from bench.parts import Options
from bench.results import Row, Section

ENLARGED, REPEATED = 5, 3
"""Demonstration clips of 96 x 72 at 8 frames per second become 480 x 360 at 24."""
PLAIN = Features(device="cpu", offline=True)
NETWORKS = Features(visual="timm:tf_efficientnet_lite0", audio="yamnet", device="cpu", offline=True)
EVENTS = "siren, drum"
CLIPS, FILM = 8, 3
"""Number of clips of 10 s, and length of the film in their lengths."""


@dataclass(frozen=True)
class Job:
    """A command on some videos.

    Attributes:
        name: what it does.
        videos: the files.
        pair: extractors of pictures and of sound.
        once: does it once, anew.
    """

    name: str
    videos: Sequence[Path]
    pair: tuple[Extractor, Extractor]
    once: Callable[[], Throughput]


def measure(options: Options) -> Section:
    """Both commands in turns with their floors."""
    before = torch.get_num_threads()
    torch.set_num_threads(options.threads)
    try:
        with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
            return _measured(options, Path(scratch))
    finally:
        torch.set_num_threads(before)


def _measured(options: Options, scratch: Path) -> Section:
    tiny = options.sizes.batch < 128
    clips = written(scratch / "clips", count=1 if tiny else CLIPS)
    film = [] if tiny else [enlarged(scratch / "film.mp4", seed=1, repeats=FILM)]
    rows, facts = [], {}
    for job in jobs(clips, film, scratch, tiny=tiny):
        row, found = beside_floors(job, options.repeats)
        rows.append(row)
        facts[job.name] = found
    return Section(name="media", rows=rows, facts=facts)


def beside_floors(job: Job, repeats: int) -> tuple[Row, dict[str, Any]]:
    """A row in times real time, and the figures behind it: medians over the turns."""
    alone = computing(job)
    turns: dict[str, list[float]] = {"decoding": [], "computing": [], "speed": []}
    speed = job.once()  # weights are loaded, caches are warm
    length = speed.video_seconds
    for _ in range(repeats):
        turns["decoding"].append(length / decoding(job.videos))
        turns["computing"].append(alone())
        speed = job.once()
        turns["speed"].append(speed.times_real_time)
    median = {name: statistics.median(values) for name, values in turns.items()}
    note = f"{speed.bound}; alone: decoding {median['decoding']:,.0f}, networks {median['computing']:,.0f}"
    row = Row(
        name=job.name,
        unit="x real time",
        value=median["speed"],
        floor=min(median["decoding"], median["computing"]),
        better="higher",
        note=note,
    )
    return row, {"turns": turns, "throughput": speed.to_dict()}


def jobs(clips: Path, film: Sequence[Path], scratch: Path, *, tiny: bool) -> Iterator[Job]:
    """The commands, with and without networks, on clips and on a film."""
    registry = default_host().registry
    launcher: LauncherConfig = registry.get("launcher", "inline").target()
    count = 0

    def extracting(features: Features, videos: Sequence[Path]) -> Callable[[], Throughput]:
        def once() -> Throughput:
            nonlocal count
            count += 1
            request = ExtractionRequest(out=scratch / f"data{count}", videos=tuple(videos), features=features)
            found = extract(request, host=default_host(), launcher=launcher).throughput
            assert found is not None
            return found

        return once

    def predicting(localizer: Localizer, videos: Sequence[Path]) -> Callable[[], Throughput]:
        def once() -> Throughput:
            began = time.perf_counter()
            outcomes = list(predict_batch(localizer, videos_of(videos)))
            found = throughput(outcomes, time.perf_counter() - began)
            assert found is not None
            return found

        return once

    all_clips = sorted(clips.glob("*.mp4"))
    pair = PLAIN.build(registry)
    yield Job("extract, colour-motion and log-mel, clips of 10 s", all_clips, pair, extracting(PLAIN, all_clips))
    if tiny:
        return
    with Localizer.load(_trained(scratch, launcher), device="cpu") as localizer:
        for name, videos in (("clips of 10 s", all_clips), ("a film of 30 s", film)):
            yield Job(f"predict, ead-b on these features, {name}", videos, pair, predicting(localizer, videos))
    try:
        networks = NETWORKS.build(registry)
        named = Localizer.named(EVENTS, device="cpu", offline=True)
    except DataError as error:
        print(f"media: no rows with networks: {error.problem}")
        return
    few = all_clips[:3]
    yield Job("extract, EfficientNet-Lite0 and YAMNet, clips of 10 s", few, networks, extracting(NETWORKS, few))
    for name, videos in (("clips of 10 s", few), ("a film of 30 s", film)):
        yield Job(f"predict by name, the same networks, {name}", videos, networks, predicting(named, videos))


def _trained(scratch: Path, launcher: LauncherConfig) -> Path:
    """A run of ead-b on the features of small labelled clips, one epoch."""
    made = write_clips(scratch / "labelled", 24, new=0)
    request = ExtractionRequest(out=scratch / "labelled" / "data", videos=(made.videos,), table=made.table)
    extract(request, host=default_host(), launcher=launcher)
    options = {"train.epochs": 1, "train.test_curve": False, "dataset.root": str(request.out)}
    return Path(run("ead-b", dataset="ave", options=options, out=scratch / "run").run_dir)


def decoding(videos: Sequence[Path]) -> float:
    """Seconds that PyAV takes to decode both streams of the files, without any conversion."""
    began = time.perf_counter()
    for video in videos:
        for kind in ("video", "audio"):
            with av.open(str(video)) as container:
                stream = getattr(container.streams, kind)[0]
                stream.thread_type = "AUTO"
                for _ in container.decode(stream):
                    pass
    return time.perf_counter() - began


def computing(job: Job) -> Callable[[], float]:
    """A function that returns the speed, times real time, of the extractors alone on segments in memory.

    Of networks the convolutions and linear layers count alone; other extractors have nothing below their whole.
    """
    visual, audio = job.pair
    assert isinstance(visual.sampling, FrameSampling) and isinstance(audio.sampling, AudioSampling)
    with read_media(job.videos[0], frames=visual.sampling, audio=audio.sampling, duration=8.0) as reader:
        segments = list(reader)
    pictures = np.stack([segment.frames for segment in segments if segment.frames is not None])
    waves = np.stack([segment.audio for segment in segments if segment.audio is not None])
    parts: list[Callable[[], Any]] = []
    for extractor, held in ((visual, pictures), (audio, waves)):
        products = _products(extractor, held)
        parts.extend(products or [partial(extractor.features, held)])

    def alone() -> float:
        with torch.inference_mode():
            began = time.perf_counter()
            for part in parts:
                part()
            return len(segments) / (time.perf_counter() - began)

    return alone


def _products(extractor: Extractor, held: np.ndarray) -> list[Callable[[], Any]]:
    """The convolutions and linear layers of an extractor's features, each with its inputs."""
    found: list[Callable[[], Any]] = []

    def keep(module: nn.Module, inputs: tuple[Any, ...], _: Any) -> None:
        if isinstance(module, nn.Conv2d | nn.Linear):
            found.append(lambda: module(*inputs))

    hook = nn.modules.module.register_module_forward_hook(keep)
    try:
        extractor.features(held[:1])
    finally:
        hook.remove()
    return found * len(held)


def written(folder: Path, *, count: int) -> Path:
    """A folder of clips of 10 s."""
    folder.mkdir()
    for seed in range(count):
        enlarged(folder / f"{seed:02d}.mp4", seed=seed, repeats=1)
    return folder


def enlarged(path: Path, *, seed: int, repeats: int) -> Path:
    """A scene of the demonstration, ``repeats`` times 10 s, enlarged and with the noise of a camera."""
    (scene,) = draw_scenes(1, seed, "scene", empty=0.0)
    rng = np.random.default_rng(seed)

    def pictures() -> Iterator[np.ndarray]:
        for _ in range(repeats):
            for frame in frames(scene):
                large = frame.repeat(ENLARGED, 0).repeat(ENLARGED, 1).astype(np.int16)
                for _ in range(REPEATED):
                    noise = rng.integers(-4, 5, (*large.shape[:2], 1), dtype=np.int16)
                    yield np.clip(large + noise, 0, 255).astype(np.uint8)

    write_clip(path, pictures(), (sound(scene) for _ in range(repeats)), FPS * REPEATED, RATE)
    return path
