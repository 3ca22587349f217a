"""Log-mel statistics, and what every audio extractor does with samples it cannot use."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from avelzoo.builtin.extractors.audio_configs import LogMelConfig
from avelzoo.builtin.extractors.devices import number_format
from avelzoo.errors import DataError, OptionError, UsageError


def none(file):
    raise AssertionError(f"{file} is not needed")


@pytest.fixture(scope="module")
def extractor():
    return LogMelConfig().build(none)


def test_silence_is_constant(extractor):
    found = extractor.features(np.zeros((2, 16000), np.float32))
    assert found[:, :64] == pytest.approx(np.log(0.01), abs=1e-5)
    assert found[:, 64:] == pytest.approx(0, abs=1e-5)


def test_a_tone_is_in_its_band_and_a_louder_one_is_higher(extractor):
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    quiet, loud = extractor.features(np.stack([0.1 * tone, tone]))
    step = (np.log(1 + 7500 / 700) - np.log(1 + 125 / 700)) / 65
    band = round((np.log(1 + 1000 / 700) - np.log(1 + 125 / 700)) / step) - 1
    assert abs(int(quiet[:64].argmax()) - band) <= 1
    assert loud[band] - quiet[band] == pytest.approx(np.log(10), abs=0.02)


def test_deviation_tells_a_burst_from_steady_noise(extractor):
    noise = np.random.default_rng(0).normal(0, 0.1, 16000)
    burst = np.where(np.arange(16000) < 8000, noise, 0)
    steady, half = extractor.features(np.stack([noise, burst]))
    assert half[64:].mean() > 3 * steady[64:].mean()


def test_width_follows_the_bands():
    assert LogMelConfig(bands=20).build(none).features(np.zeros((1, 16000))).shape == (1, 40)
    with pytest.raises(OptionError, match="bands"):
        LogMelConfig(bands=200)


def test_any_number_of_segments_of_any_length(extractor):
    assert extractor.features(np.zeros((0, 16000), np.float32)).shape == (0, 128)
    assert extractor.features(np.ones((1, 1), np.float32)).shape == (1, 128)
    assert extractor.features(np.ones((33, 8000), np.float64)).shape == (33, 128)


def test_float32_on_a_gpu_is_not_tf32():
    cudnn = torch.backends.cudnn
    before = cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32
    with number_format(torch.device("cuda"), "32"):
        assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32) == (*before[:3], False)
    assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32) == before


@pytest.mark.parametrize(("device", "precision"), [("tpu", "32"), ("cuda:99", "32"), ("cpu", "16")])
def test_unknown_devices_and_number_formats_are_refused(device, precision):
    with pytest.raises(UsageError, match=r"device|precision"):
        LogMelConfig().build(none, device=device, precision=precision)


def test_long_segments_are_computed_one_at_a_time(extractor, monkeypatch):
    sizes = []
    compute = extractor._batch
    monkeypatch.setattr(extractor, "_batch", lambda waves: sizes.append(len(waves)) or compute(waves))
    extractor.features(np.zeros((20, 16000)))
    extractor.features(np.zeros((3, 5 * 16000)))
    extractor.features(np.zeros((2, 40 * 16000)))
    assert sizes == [16, 4, 3, 1, 1]


def test_samples_beyond_1_are_taken_as_they_are(extractor):
    """Cutting would add harmonics."""
    tone = np.sin(np.arange(16000) * 0.3)[None]
    twice = extractor.features(2 * tone) - extractor.features(tone)
    assert 0.3 < twice[0, :64].max() <= np.log(2) + 1e-4


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(extractor, value):
    segments = np.zeros((20, 16000), np.float32)
    segments[18, 5] = value
    with pytest.raises(DataError, match="not finite") as caught:
        extractor.features(segments)
    assert caught.value.where == "segment 18"


@pytest.mark.parametrize(
    ("segments", "said"),
    [
        (np.zeros(16000), "wrong form"),
        (np.zeros((2, 0)), "no samples"),
        (np.zeros((1, 16000), np.int16), "wrong form"),
    ],
)
def test_another_form_of_sound_is_refused(extractor, segments, said):
    with pytest.raises(DataError, match=said):
        extractor.features(segments)
