"""From a video file to events: extract, score windows, merge, decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from avelzoo.engine import LoadedRun, load_run
from avelzoo.engine.device import make_fabric
from avelzoo.errors import UsageError
from avelzoo.extraction.video import FeatureReader, VideoFeatures, require_segments
from avelzoo.localization.deciding import VAL, Rule, decide, decided, parsed_threshold
from avelzoo.localization.front import Front, front_of, named_front
from avelzoo.localization.systems import NAMED_SCORES, NamedScores, NamedSystem, System, TrainedSystem, tuned_rule
from avelzoo.localization.windows import OVERLAP, Features, Layout, Merger, batches
from avelzoo.plugin.default import default_host
from avelzoo.system.stages import MODEL, StageTimes
from avelzoo.timeline.records import Localization
from avelzoo.weights.store import WeightStore

if TYPE_CHECKING:
    from avelzoo.media.records import MediaReport
    from avelzoo.plugin.host import PluginHost
    from avelzoo.plugin.registry import Registry


class Localizer:
    """Localizes events in video files. A context manager; at its end the model is back on its device.

    Args:
        system: scores segments.
        front: extractors.
        rule: how segments are decided; None for the system's own rule.
        window: segments that the system sees at a time; None for as many as in training.
        overlap: share of a window that the next one covers again.

    Raises:
        OptionError: an empty window, or an overlap outside [0, 1).
    """

    def __init__(
        self,
        system: System,
        front: Front,
        *,
        rule: Rule | None = None,
        window: int | None = None,
        overlap: float = OVERLAP,
    ) -> None:
        self.system, self.front = system, front
        self.rule = rule or system.rule
        self.layout = Layout.of(system.segments if window is None else window, overlap)
        self._stack = ExitStack()

    @classmethod
    def load(
        cls,
        run: str | Path | LoadedRun,
        *,
        threshold: float | str | None = None,
        window: int | None = None,
        overlap: float = OVERLAP,
        device: str = "auto",
        visual: str | None = None,
        audio: str | None = None,
        weights: Path | None = None,
        offline: bool = False,
        force: bool = False,
        xray: bool = False,
        host: PluginHost | None = None,
    ) -> Localizer:
        """A localizer with a run's model and the extractors of its training features.

        Args:
            run: run folder, or a loaded run.
            threshold: of the relevance, in [0, 1]; ``val`` for the one chosen on val; None for the run's own rule.
            window: segments that the model sees at a time; None for as many as in training.
            overlap: share of a window that the next one covers again.
            device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
            visual: visual extractor of a run that does not record one.
            audio: audio extractor of a run that does not record one.
            weights: folder of weights.
            offline: never use the network.
            force: accept features of another recipe than in training.
            xray: compute which share of each decision came from sound and from sight.
            host: host of the components; by default all installed plugins.

        Raises:
            RunError: no run folder, or the extractors differ from those of the training.
            UsageError: the run does not say how its features were made, or an argument is invalid.
            DataError: weights are missing.
        """
        registry = _registry(host)
        loaded = run if isinstance(run, LoadedRun) else load_run(Path(run), registry)
        on = str(make_fabric(device, "32").device)
        store = WeightStore(weights, offline)
        of_names = loaded.composition.entries["dataset"].name == NAMED_SCORES
        front = front_of(loaded, registry, store, device=on, visual=visual, audio=audio, force=force, scores=of_names)
        named = NamedScores(loaded.spec.categories, front.audio, front.visual) if of_names else None
        with ExitStack() as stack:
            predictor = stack.enter_context(loaded.predictor(device=device))
            system = TrainedSystem(loaded, predictor, named=named, xray=xray)
            front = replace(front, notices=(*front.notices, *system.notices))
            rule = tuned_rule(loaded.model) if threshold == VAL else parsed_threshold(threshold)
            made = cls(system, front, rule=rule, window=window, overlap=overlap)
            made._stack = stack.pop_all()
        return made

    @classmethod
    def named(
        cls,
        events: str | Sequence[str],
        *,
        threshold: float | str | None = None,
        window: int | None = None,
        overlap: float = OVERLAP,
        device: str = "auto",
        visual: str | None = None,
        audio: str | None = None,
        weights: Path | None = None,
        offline: bool = False,
        host: PluginHost | None = None,
    ) -> Localizer:
        """A localizer of events by name, without training: published classifiers of sound and of pictures agree.

        Args:
            events: names, separated by commas or one each.
            threshold: of the relevance, in [0, 1]; None for agreement of sound and sight.
            window: segments that share a category.
            overlap: share of a window that the next one covers again.
            device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
            visual: another visual extractor with classes.
            audio: another audio extractor with classes.
            weights: folder of weights.
            offline: never use the network.
            host: host of the components; by default all installed plugins.

        Raises:
            UsageError: no class stands for a name, or an argument is invalid.
            DataError: weights are missing.
        """
        if threshold == VAL:
            raise UsageError("without training there is no threshold chosen on val", found="the threshold 'val'")
        registry = _registry(host)
        where = str(make_fabric(device, "32").device)
        front = named_front(registry, WeightStore(weights, offline), device=where, visual=visual, audio=audio)
        scores = NamedScores(events, front.audio, front.visual)
        system = NamedSystem(scores, registry)
        front = replace(front, notices=(*front.notices, *scores.notices))
        return cls(
            system,
            front,
            rule=parsed_threshold(threshold),
            window=window,
            overlap=overlap,
        )

    def __enter__(self) -> Localizer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the model back to the device where it was."""
        self._stack.close()

    def predict(
        self, video: str | Path | VideoFeatures, *, start: float = 0.0, duration: float | None = None
    ) -> Localization:
        """Events of a video, with scores per segment. Memory does not grow with the film, except for its scores.

        A file with ``status`` other than ``ok``, or without an event, has a ``reason``.

        Args:
            video: file, or features of `extract_video`.
            start: where to begin in the file, in seconds.
            duration: length to read in seconds; None for the rest.

        Raises:
            DataError: the file cannot be read.
            UsageError: PyAV is not installed, or an argument is out of range.
        """
        return decided(self.score(video, start=start, duration=duration), self.rule, own=self.rule is self.system.rule)

    def reader(self, video: Path, *, start: float = 0.0, duration: float | None = None) -> FeatureReader:
        """Reader of the features that `score` needs. Arguments as in `predict`; once started, it decodes ahead."""
        front = self.front
        return FeatureReader(video, front.visual, front.audio, seconds=front.seconds, start=start, duration=duration)

    def score(
        self,
        video: str | Path | VideoFeatures | FeatureReader,
        *,
        start: float = 0.0,
        duration: float | None = None,
    ) -> Localization:
        """`predict` without a decision: scores per segment, no events. A reader must have been made with ``start``."""
        merger = Merger(self.layout, self.system.categories, self.front.seconds, start=start)
        if isinstance(video, VideoFeatures):
            path, report = "", video.report
            self._score(merger, [(video.audio, video.visual)], StageTimes())
        else:
            reader = (
                video if isinstance(video, FeatureReader) else self.reader(Path(video), start=start, duration=duration)
            )
            path = str(reader.path)
            count = self._score(merger, ((block.audio, block.visual) for block in reader), reader.times)
            require_segments(reader.path, count)
            report = reader.report
        scores = merger.scores()
        scores = replace(scores, segments=decide(scores, self.system.rule))
        return Localization(
            path=path,
            status=report.status,
            reason=report.reason,
            duration=start + report.duration,
            scores=scores,
            notices=(*report.notices, *_one_modality(report), *self.front.notices),
            preference=self.system.preference,
        )

    def _score(self, merger: Merger, blocks: Iterable[Features], times: StageTimes) -> int:
        """Score all windows; returns the number of segments."""
        count = 0
        for firsts, (audio, visual) in batches(self.layout.walk(blocks)):
            with times.timed(MODEL):
                merger.add(firsts, self.system(audio, visual), self.system.shares(audio, visual))
            count = firsts[-1] + audio.shape[1]
        return count


def _one_modality(report: MediaReport) -> tuple[str, ...]:
    """What the scores rest on where a stream is missing."""
    if not report.has_audio:
        return ("no sound: scored by the picture, with the features of silence",)
    if not report.has_video:
        return ("no picture: scored by the sound, with the features of black frames",)
    return ()


def _registry(host: PluginHost | None) -> Registry:
    return (host or default_host()).registry
