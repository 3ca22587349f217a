"""Generator of worlds: signatures and cues of a world, scenes of its videos, features of the scenes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from avelzoo.builtin.datasets.worlds_intervals import draw_run, draw_several, length_law, several

if TYPE_CHECKING:
    from avelzoo.builtin.datasets.configs import WorldsConfig

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Bias = Literal["audio-led", "visual-led", "balanced"]

BIASES: tuple[Bias, ...] = ("audio-led", "visual-led", "balanced")
STREAMS = {"world": 0, "train": 1, "val": 2, "test": 3, "negative": 4}
"""First key of every random stream; the second is the video's number, the third 0: scene, 1: features, 2: form."""
QUIET = 1.0
"""Mean of a cue while its modality is inactive."""
SUPPORT = 4
"""One in this many channels carries a signature or a cue."""


@dataclass(frozen=True)
class Scene:
    """What happens in one video.

    Attributes:
        category: id of what is heard and seen, in 0..n-1: the event's, unless there is none.
        has_event: false where the video has no event category.
        event: (t) bool, the truth; t is the video's own.
        heard: (t) bool, where the audio cue is active.
        seen: (t) bool, where the object's visual cue is active.
        others: category and (t) activity of every silent object.
    """

    category: int
    has_event: bool
    event: BoolArray
    heard: BoolArray
    seen: BoolArray
    others: tuple[tuple[int, BoolArray], ...]


class World:
    """The laws of one world: what every category sounds and looks like, and what leads it.

    Attributes:
        names: the n categories, audio-led ones first, balanced ones last.
        biases: (n), what leads each.
        sounds: (n a) audio signatures.
        looks: (n v) visual signatures.
        audio_cue: (a), the direction of audible activity, shared by all categories.
        visual_cue: (v), the direction of visible activity, shared by all categories.
        laws: by length t of a video, (t+1) probabilities of every run length.

    Args:
        config: the options.
    """

    def __init__(self, config: WorldsConfig) -> None:
        counts = (config.audio_led, config.visual_led, config.balanced)
        self.config = config
        self.biases = tuple(bias for bias, count in zip(BIASES, counts, strict=True) for _ in range(count))
        self.names = tuple(f"{bias}-{i + 1}" for bias, count in zip(BIASES, counts, strict=True) for i in range(count))
        lengths = range(config.segments - config.spread, config.segments + config.spread + 1)
        self.laws = {t: length_law(config.run_lengths, t) for t in lengths}
        rng = self._stream("world")
        n = len(self.names)
        self.audio_cue, *sounds = (_pattern(rng, config.audio_channels) for _ in range(n + 1))
        self.visual_cue, *looks = (_pattern(rng, config.visual_channels) for _ in range(n + 1))
        self.sounds, self.looks = np.stack(sounds), np.stack(looks)

    @property
    def cells(self) -> int:
        """Number of grid cells, h w."""
        return self.config.grid_height * self.config.grid_width

    @property
    def silent(self) -> int:
        """Silent objects per video: the option's number, limited by the free cells; 0 with one category."""
        return min(self.config.distractors, self.cells - 1) if len(self.names) > 1 else 0

    def scene(self, stream: str, number: int) -> Scene:
        """Draw the scene of a video; a ``negative`` has everything except the event."""
        rng = self._stream(stream, number, 0)
        n = len(self.names)
        category = number % n
        form = self._stream(stream, number, 2)
        t = min(self.laws) + int(form.random() * len(self.laws))
        has_event = form.random() >= self.config.eventless and stream != "negative"
        event, decoy = (self._happen(rng, form, t) for _ in range(2))
        if not has_event:
            event = np.zeros_like(event)
        bias = self.biases[category]
        loose = decoy if rng.random() < self.config.mislead else event
        others = tuple(
            ((category + int(rng.integers(1, n))) % n, draw_run(rng, self.laws[t])) for _ in range(self.silent)
        )
        return Scene(
            category=category,
            has_event=has_event,
            event=event,
            heard=loose if bias == "visual-led" else event,
            seen=loose if bias == "audio-led" else event,
            others=others,
        )

    def _happen(self, rng: np.random.Generator, form: np.random.Generator, t: int) -> BoolArray:
        """(t) bool, where an event or a decoy is; ``form`` decides between one run, from ``rng``, and several."""
        one = draw_run(rng, self.laws[t])
        return draw_several(form, t) if form.random() < self.config.repeated and several(t) else one

    def features(self, scene: Scene, stream: str, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Audio (t a) and visual (t h w v) features of a scene, non-negative."""
        rng = self._stream(stream, number, 1)
        config = self.config
        audio = self._show(rng, self.sounds[scene.category], self.audio_cue, scene.heard)
        audio += config.noise * rng.standard_normal(audio.shape)
        ground = config.clutter * np.maximum(rng.standard_normal((self.cells, config.visual_channels)), 0)
        t = len(scene.event)
        visual = np.repeat(ground[None], t, axis=0)
        objects = ((scene.category, scene.seen), *scene.others)
        time = np.arange(t)
        for k, (path, (category, active)) in enumerate(zip(self._paths(rng, len(objects), t), objects, strict=True)):
            cue = self.visual_cue * (config.distraction if k else 1)
            visual[time, path] = self._show(rng, self.looks[category], cue, active)
        visual += config.noise * rng.standard_normal(visual.shape)
        grid = visual.reshape(t, config.grid_height, config.grid_width, -1)
        return np.maximum(audio, 0).astype(np.float32), np.maximum(grid, 0).astype(np.float32)

    def _show(self, rng: np.random.Generator, signature: FloatArray, cue: FloatArray, active: BoolArray) -> FloatArray:
        """Features of an object, (t channels): strength times signature plus activity times cue."""
        jitter, flicker = rng.standard_normal((2, len(active), 1))
        strength = np.where(active[:, None], 1.0, self.config.rest) + self.config.jitter * jitter
        level = QUIET + self.config.cue * active[:, None] + self.config.cue_noise * flicker
        shown: FloatArray = strength * signature + level * cue
        return shown

    def _paths(self, rng: np.random.Generator, objects: int, t: int) -> NDArray[np.int64]:
        """Paths of objects, (objects t) cells: distinct starts, then random steps to free neighbouring cells."""
        h, w = self.config.grid_height, self.config.grid_width
        here = rng.permutation(self.cells)[:objects]
        moves = rng.random((t, objects)) < self.config.motion
        steps = rng.integers(4, size=(t, objects))
        paths = np.empty((objects, t), dtype=np.int64)
        for i in range(t):
            for k in np.flatnonzero(moves[i]) if i else ():
                row, column = divmod(int(here[k]), w)
                row += (1, -1, 0, 0)[steps[i, k]]
                column += (0, 0, 1, -1)[steps[i, k]]
                there = row * w + column
                if 0 <= row < h and 0 <= column < w and there not in here:
                    here[k] = there
            paths[:, i] = here
        return paths

    def _stream(self, *keys: str | int) -> np.random.Generator:
        numbers = [STREAMS[key] if isinstance(key, str) else key for key in keys]
        return np.random.default_rng(np.random.SeedSequence(self.config.seed, spawn_key=numbers))


def _pattern(rng: np.random.Generator, channels: int) -> FloatArray:
    """Random pattern, (channels): a quarter of them between 0.5 and 1.5, scaled to a mean square of 1."""
    pattern = np.zeros(channels)
    chosen = rng.permutation(channels)[: max(1, channels // SUPPORT)]
    pattern[chosen] = rng.uniform(0.5, 1.5, size=len(chosen))
    pattern *= np.sqrt(channels / np.square(pattern).sum())
    return pattern
