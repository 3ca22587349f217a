"""A recipe without parameters: it runs, is evaluated, and only val's thresholds change anything."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from avelzoo import Localizer, PluginHost, WorldsConfig, load_run, recipes, run
from avelzoo.builtin.datasets.configs import NamedScoresConfig
from avelzoo.data.reading.event_table import EventRow, write_event_table
from avelzoo.data.reading.features_record import FeatureSource, FeaturesRecord
from avelzoo.engine import evaluate
from avelzoo.errors import DataError, DataWarning, UsageError
from avelzoo.extraction.video import VideoFeatures
from avelzoo.extractors import Extractor, ExtractorConfig, recipe_id
from avelzoo.media.records import MediaReport
from avelzoo.metrics.stored import load_predictions
from avelzoo.plugin.default import as_default
from avelzoo.profiling.cost import profile
from tests.data.conftest import write

SOUNDS = ("Bark", "Church bell", "Helicopter", "Silence")
SIGHTS = ("Chihuahua", "bell cote, bell cot", *(f"sky {i}" for i in range(100)))
CATEGORIES = ("Bark", "Church bell", "Helicopter")


class Told(Extractor):
    """An extractor whose features are its class probabilities."""

    def __init__(self, modality, classes):
        self.modality, self.classes = modality, classes
        self.shape = (len(classes),) if modality == "audio" else (1, 1, len(classes))
        self.recipe = {"encoder": f"told-{modality}", "classes": list(classes)}

    def features(self, segments):
        raise NotImplementedError

    def class_scores(self, features):
        return features if self.modality == "audio" else features.mean(axis=(-3, -2))


class ToldAudioConfig(ExtractorConfig):
    """Sound."""

    modality = "audio"

    def build(self, find, *, device="cpu", precision="32"):
        return Told("audio", SOUNDS)


class ToldVisualConfig(ExtractorConfig):
    """Sight."""

    modality = "visual"

    def build(self, find, *, device="cpu", precision="32"):
        return Told("visual", SIGHTS)


def told_folder(root, *, recipes=None, categories=CATEGORIES, videos=60):
    """A folder of videos with up to 6 segments: class probabilities that tell event from background, with noise."""
    rng, t, n = np.random.default_rng(0), 6, len(categories)
    rows, audio, visual = [], [], []
    for i in range(videos):
        length, category = 3 + i % 4, categories[i % n]
        start = int(rng.integers(0, length))
        end = int(rng.integers(start + 1, length + 1))
        rows.append(EventRow(f"{i}.mp4", length, category, ((float(start), float(end)),)))
        on = (np.arange(t) >= start) & (np.arange(t) < end)
        heard, seen = 0.15 * rng.random((t, 4)), rng.dirichlet(np.ones(len(SIGHTS)), t)
        heard[on, i % n] += 0.5
        if i % n < 2:  # no class of pictures stands for a helicopter
            seen[on, i % n] += 2.0
        real = np.arange(t)[:, None] < length
        audio.append(heard * real)
        visual.append((seen / seen.sum(axis=1, keepdims=True) * real)[:, None, None])
    root.mkdir()
    write(root / "audio_feature.h5", np.array(audio, np.float32))
    write(root / "visual_feature.h5", np.array(visual, np.float32))
    write_event_table(root / "events.csv", rows)
    (root / "categories.txt").write_text("\n".join(categories) + "\n")
    for k, name in enumerate(("train", "val", "test")):
        write(root / f"{name}_order.h5", np.arange(k, videos, 3), "order")
    ids = recipes or [recipe_id(Told("audio", SOUNDS).recipe), recipe_id(Told("visual", SIGHTS).recipe)]
    heard, seen = (
        FeatureSource(file=f"{m}_feature.h5", extractor=f"told-{m}", options={}, recipe={}, recipe_id=own)
        for m, own in zip(("audio", "visual"), ids, strict=True)
    )
    FeaturesRecord(seconds=1.0, audio=heard, visual=seen, categories=categories, files={}).write(root)
    return root


@pytest.fixture(autouse=True)
def told():
    host = PluginHost(entry_points=False)
    host.define("extractor", "told-audio", ToldAudioConfig)
    host.define("extractor", "told-visual", ToldVisualConfig)
    with as_default(host):
        yield host


HELICOPTER = "ignore:'Helicopter' has no class of pictures"


@pytest.mark.filterwarnings(HELICOPTER)
def test_a_run_without_parameters(told, tmp_path):
    folder = told_folder(tmp_path / "data")
    result = run("names-agreement", options={"dataset.root": folder}, out=tmp_path / "run", host=told)
    assert result.parameters == 0
    assert result.epochs == 1
    assert result.scores["test"].segment_accuracy > 0.8
    assert result.scores["test"].segment_accuracy > result.scores["test"].floors.background + 0.2
    loaded = load_run(tmp_path / "run", host=told)
    assert evaluate(loaded).segment_accuracy == result.scores["test"].segment_accuracy
    assert "chosen on val" in loaded.model.decoder.describe()
    _, found, truth = load_predictions(tmp_path / "run" / "predictions.h5", "test")
    assert (found.category == truth.events).mean() == 1
    line = json.loads((tmp_path / "run" / "metrics.jsonl").read_text())
    assert line["loss"] > 0


@pytest.mark.filterwarnings(HELICOPTER)
def test_a_localizer_with_the_thresholds_of_val(told, tmp_path):
    """The same features of a video, as a file would give them, get the predictions of the evaluation."""
    folder = told_folder(tmp_path / "data")
    run("names-agreement", options={"dataset.root": folder}, out=tmp_path / "run", host=told)
    ids, expected, truth = load_predictions(tmp_path / "run" / "predictions.h5", "test")
    with h5py.File(folder / "audio_feature.h5") as heard, h5py.File(folder / "visual_feature.h5") as seen:
        audio, visual = (next(iter(file.values()))[2::3] for file in (heard, seen))
    with Localizer.load(tmp_path / "run", host=told, device="cpu") as localizer:
        assert "chosen on val" in localizer.rule.words
        for i, length in enumerate(truth.lengths[:8]):
            report = MediaReport(
                status="ok", reason="", duration=float(length), notices=(), has_audio=True, has_video=True
            )
            video = VideoFeatures(audio=audio[i, :length], visual=visual[i, :length], report=report)
            found = localizer.predict(video)
            assert np.array_equal(found.scores.segments, expected.segments[i, :length]), ids[i]


@pytest.mark.filterwarnings(HELICOPTER)
def test_the_seed_changes_nothing(told, tmp_path):
    folder = told_folder(tmp_path / "data")
    for seed in (0, 1):
        run("names-agreement", options={"dataset.root": folder}, seed=seed, out=tmp_path / str(seed), host=told)
    first, second = (load_predictions(tmp_path / str(seed) / "predictions.h5", "test")[1] for seed in (0, 1))
    assert np.array_equal(first.segments, second.segments)


def test_scores_are_those_of_the_classifiers(tmp_path):
    folder = told_folder(tmp_path / "data")
    with pytest.warns(DataWarning, match="'Helicopter' has no class of pictures: decided by sound alone"):
        data = NamedScoresConfig(root=folder).open("full")
    batch, _ = data.split("val").fetch([0, 2])
    assert batch.audio.shape == (2, 6, 3)
    assert batch.visual.shape == (2, 6, 1, 1, 3)
    with h5py.File(folder / "audio_feature.h5") as file:
        p = file["avadataset"][1, :3, :3]
    np.testing.assert_allclose(batch.audio[0, :3], p / (p + 0.2), rtol=1e-5)
    assert not batch.audio[~batch.mask].any()
    np.testing.assert_allclose(batch.visual[..., 0, 0, 2], batch.audio[..., 2], rtol=1e-5)
    assert data.extraction["audio"]["extractor"] == "told-audio"


def test_folders_that_cannot_be_scored_are_refused(tmp_path):
    with pytest.raises(DataError, match="needs a folder of extracted features"):
        NamedScoresConfig().open("full")
    other = told_folder(tmp_path / "other", recipes=["told-audio-000000000000", "told-visual-000000000000"])
    with pytest.raises(DataError, match="weights or options differ from those that made the features"):
        NamedScoresConfig(root=other).open("full")
    unnamed = told_folder(tmp_path / "unnamed", categories=("Bark", "Church bell", "Xylograph"))
    with pytest.raises(UsageError, match="stands for 'Xylograph'") as raised:
        NamedScoresConfig(root=unnamed).open("full")
    assert "unnamed" in raised.value.where
    (unnamed / "features.json").unlink()
    with pytest.raises(DataError, match="does not say which networks made its features"):
        NamedScoresConfig(root=unnamed).open("full")


def test_there_is_no_training_step_to_profile(told):
    with pytest.raises(UsageError, match="no parameters"):
        profile(recipes.of(told)["names-agreement"]("full"), WorldsConfig().open("full").spec)
