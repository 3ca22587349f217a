"""Events by name in real recordings, with YAMNet's published weights and no sight."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from avelzoo import default_host
from avelzoo.builtin.extractors.audio_configs import YamnetConfig
from avelzoo.media.reading import read_media
from avelzoo.names import AGREEMENT, category_scores, predictions, resolve, table
from avelzoo.weights.store import WeightStore
from tests.extractors.test_yamnet import member


@pytest.fixture(scope="module")
def yamnet():
    member("")
    return YamnetConfig().build(WeightStore(offline=True))


def localized(yamnet, path, names):
    """Names, and the id of every second, n = background, by the rule without labels."""
    with read_media(path, frames=None, audio=yamnet.sampling) as reader:
        waves = np.stack([segment.audio for segment in reader])
    categories = resolve(names, yamnet.classes, [])
    heard = yamnet.class_scores(yamnet.features(waves))
    scores = category_scores(heard, np.zeros((len(heard), 0)), categories, yamnet.classes, [])
    rule = default_host().registry.get("decoder", "agreement").target(**AGREEMENT).build(None, None)
    return [c.name for c in categories], rule.decide(predictions(*(part[None] for part in scores))).segments[0]


def test_bells_of_a_labelled_recording(yamnet):
    names, found = localized(yamnet, member("test-files/mini-test.wav"), "bicycle bell, rain")
    bell = found == names.index("bicycle bell")
    with member("test-files/mini-test.csv").open() as file:
        spans = [(float(start), float(end)) for start, end, _, on in csv.reader(file) if on == "True"]
    true = np.array([any(start <= second + 0.5 < end for start, end in spans) for second in range(60)])
    assert not (bell & ~true).any()
    assert 2 * (bell & true).sum() / (bell.sum() + true.sum()) > 0.8
    assert (found == names.index("rain")).any()


def test_the_one_noise_of_a_clip(yamnet, shared):
    names, found = localized(yamnet, shared / "media" / "frog.webm", "snoring, church bell")
    assert names == ["snoring", "Church bell"]
    assert np.flatnonzero(found == 0).tolist() == [4]
    assert not (found == 1).any()


def test_no_event_of_ave_is_heard_where_there_is_none(yamnet, shared):
    for clip in ("crystal.webm", "frog.webm", "rabbit320.mp4"):
        names, found = localized(yamnet, shared / "media" / clip, list(table()))
        assert (found == len(names)).all(), clip
