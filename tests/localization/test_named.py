"""Events by name, without training; the store of scores; the choice of clips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avelzoo.errors import DataError, UsageError
from avelzoo.extraction.video import VideoFeatures
from avelzoo.extractors import AudioSampling, Extractor, FrameSampling
from avelzoo.localization.clips import events_to_cut, random_to_cut
from avelzoo.localization.deciding import Rule, decided, threshold_rule
from avelzoo.localization.front import Front
from avelzoo.localization.localizer import Localizer
from avelzoo.localization.storing import Stored, load, save
from avelzoo.localization.systems import NamedScores, NamedSystem
from avelzoo.media.records import MediaReport
from avelzoo.plugin.default import default_host
from avelzoo.testing.formats import result_of

SOUNDS = ("Bark", "Church bell", "Helicopter")
SIGHTS = ("papillon", "church, church building", "sky")


class Given(Extractor):
    """Features that are the class probabilities themselves."""

    def __init__(self, modality, classes):
        self.modality, self.classes = modality, classes
        shape = (len(classes),)
        self.shape = shape if modality == "audio" else (1, 1, *shape)
        self.recipe = {"encoder": f"given-{modality}"}
        frames = FrameSampling(per_segment=1, prepare=lambda frame: frame)
        self.sampling = AudioSampling(rate=16000) if modality == "audio" else frames

    def features(self, segments):
        raise AssertionError("not needed")

    def class_scores(self, features):
        return features if self.modality == "audio" else features[..., 0, 0, :]


def localizer(names, **how):
    audio, visual = Given("audio", SOUNDS), Given("visual", SIGHTS)
    system = NamedSystem(NamedScores(names, audio, visual), default_host().registry)
    return Localizer(system, Front(visual, audio, 1.0), **how)


def features(heard, seen):
    """A video in which classes (by number, None for none) are heard and seen."""
    audio = np.stack([np.eye(3)[k] * 0.9 if k is not None else np.zeros(3) for k in heard]).astype(np.float32)
    visual = np.stack([np.eye(3)[k] * 0.8 if k is not None else np.full(3, 0.01) for k in seen]).astype(np.float32)
    report = MediaReport(status="ok", reason="", duration=float(len(heard)), notices=(), has_audio=True, has_video=True)
    return VideoFeatures(audio=audio, visual=visual[:, None, None], report=report)


def test_an_event_is_where_both_modalities_agree():
    found = localizer("Bark, church bell").predict(features([0, 0, 0, None, 0, 1], [0, 0, None, 0, 1, 0]))
    assert [(e.start, e.end, e.category) for e in found.events] == [(0, 2, "Bark")]
    assert "name one category" in found.decision


def test_nothing_that_agrees_is_no_event_and_says_why():
    found = localizer("Bark, Church bell").predict(features([0, 0, 0], [1, 1, 1]))
    assert found.events == ()
    assert "background" in found.reason


def test_a_threshold_of_the_relevance_instead_of_agreement():
    found = localizer("Bark, church bell", rule=threshold_rule(0.7, "above 0.7")).predict(features([0, None], [0, 0]))
    assert [(e.start, e.end) for e in found.events] == [(0, 1)]


def test_unknown_names_are_refused():
    with pytest.raises(UsageError, match="stands for 'zeppelin'"):
        localizer("zeppelin")


def test_extractors_without_classes_are_refused():
    audio, visual = Given("audio", ()), Given("visual", SIGHTS)
    with pytest.raises(UsageError, match="no classes") as error:
        NamedScores("Bark", audio, visual)
    assert "--audio yamnet" in error.value.fix


def test_there_is_no_val_without_training():
    with pytest.raises(UsageError, match="chosen on val"):
        Localizer.named("bark", threshold="val", offline=True)


def test_stored_scores_come_back(tmp_path):
    result = replace(result_of(events=()), notices=("gap",), preference={"bark": {"audio": 0.5}})
    scores = replace(
        result.scores,
        segments=np.array([2, 0, 0, 2, 1, 1]),
        audio_scores=np.zeros((6, 2), np.float32),
        start=3.0,
        window=4,
        hop=2,
    )
    stored = Stored(replace(result, scores=scores), Rule("own", threshold=0.4), "key", {"window": 4})
    save(tmp_path / "a.npz", stored)
    found = load(tmp_path / "a.npz")
    assert (found.own, found.key, found.fingerprint) == (Rule("own", threshold=0.4), "key", {"window": 4})
    assert replace(found.result, scores=None) == replace(stored.result, scores=None, decision="")
    for name in ("relevance", "category_scores", "segments", "audio_scores"):
        assert np.array_equal(getattr(found.result.scores, name), getattr(scores, name))
    assert found.result.scores.visual_scores is None
    assert (found.result.scores.start, found.result.scores.window, found.result.scores.hop) == (3.0, 4, 2)
    one = (tmp_path / "a.npz").read_bytes()
    save(tmp_path / "a.npz", stored)
    assert (tmp_path / "a.npz").read_bytes() == one, "the same scores give other bytes"


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut"])
def test_damaged_scores_are_an_error(content, tmp_path):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path / "a.npz")
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path / "missing.npz")


def test_deciding_twice_gives_the_same():
    result = replace(result_of(events=(), status="partly-read", reason="damaged at 3 s"))
    strict = threshold_rule(0.9, "above 0.9")
    found = decided(result, strict)
    assert found.reason.startswith("damaged at 3 s; no segment above the threshold 0.90")
    assert decided(result, threshold_rule(0.5, "above 0.5")).reason == "damaged at 3 s"


def test_random_clips_come_from_every_bin():
    rng = np.random.default_rng(0)
    results = []
    for i in range(4):
        result = result_of(path=f"{i}.mp4")
        scores = replace(result.scores, relevance=rng.random(6, np.float32), segments=np.zeros(6, np.int64))
        results.append(replace(result, scores=scores))
    chosen = random_to_cut(results, 10)
    assert len(chosen) == 10
    assert len({clip.bin for clip in chosen}) == 5
    assert chosen == random_to_cut(results, 10)
    assert len(set(random_to_cut(results, 99))) == 24
    assert all(clip.end <= 5.5 for clip in chosen)
    decided_at = {clip.start: clip.category for clip in random_to_cut(results, 99)}
    assert [decided_at[i] for i in range(6)] == ["background", "bark", "bark", "background", "bell", "bell"]
    assert random_to_cut(results, 0) == []
    assert [(c.category, c.bin) for c in events_to_cut(results[:1])] == [("bark", ""), ("bell", "")]
    assert events_to_cut(results[:1])[0].name == "0_1.00-3.00_bark_0.75"
