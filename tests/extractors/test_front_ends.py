"""Front ends against their definitions, written as loops in float64, and against known figures."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
import torch

from avelzoo.builtin.extractors.front_ends import CentredLogMel, FramedLogMel, patch_count, patches
from avelzoo.builtin.extractors.mel import hann, htk_filters, slaney_filters


def wave(samples: int, seed: int = 0) -> np.ndarray:
    """A sweep, a tone and noise, in float32."""
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / 16000
    made = 0.3 * np.sin(2 * np.pi * (200 * t + 900 * t**2)) + 0.2 * np.sin(2 * np.pi * 3000 * t)
    return (made + 0.05 * rng.standard_normal(samples)).astype(np.float32)


def spectrum(frame: list[float], size: int) -> list[complex]:
    """Discrete Fourier transform of a frame with zeros on its right, from 0 to half the rate."""
    return [sum(x * cmath.exp(-2j * math.pi * k * i / size) for i, x in enumerate(frame)) for k in range(size // 2 + 1)]


def htk(f: float) -> float:
    return 1127 * math.log(1 + f / 700)


def htk_weight(k: int, band: int, bins: int = 257, bands: int = 64) -> float:
    step = (htk(7500) - htk(125)) / (bands + 1)
    centre = htk(125) + (band + 1) * step
    return 0.0 if k == 0 else max(0.0, 1 - abs(htk(k * 8000 / (bins - 1)) - centre) / step)


def slaney(f: float) -> float:
    return f * 3 / 200 if f < 1000 else 15 + 27 * math.log(f / 1000) / math.log(6.4)


def slaney_inverse(mel: float) -> float:
    return mel * 200 / 3 if mel < 15 else 1000 * math.exp((mel - 15) * math.log(6.4) / 27)


def slaney_weight(f: float, band: int, low: float, high: float, bands: int = 64) -> float:
    step = (slaney(high) - slaney(low)) / (bands + 1)
    lo, centre, hi = (slaney_inverse(slaney(low) + (band + i) * step) for i in range(3))
    peak = min((f - lo) / (centre - lo), (hi - f) / (hi - centre))
    return max(0.0, peak) * 2 / (hi - lo)


@pytest.mark.parametrize("offset", [0.01, 0.001])
def test_framed_log_mel_is_its_definition(offset):
    samples = wave(400 + 2 * 160 + 159)
    found = FramedLogMel(offset=offset)(torch.from_numpy(samples)[None])[0].numpy()
    assert found.shape == (3, 64)  # the incomplete frame is dropped
    for frame in range(3):
        part = samples[frame * 160 : frame * 160 + 400].astype(float)
        tapered = [x * (0.5 - 0.5 * math.cos(2 * math.pi * i / 400)) for i, x in enumerate(part)]
        magnitudes = [abs(value) for value in spectrum(tapered, 512)]
        for band in range(0, 64, 7):
            mel = sum(magnitudes[k] * htk_weight(k, band) for k in range(257))
            assert found[frame, band] == pytest.approx(math.log(mel + offset), abs=1e-5)


@pytest.mark.parametrize(("rate", "window", "hop", "high"), [(32000, 1024, 320, 14000), (16000, 512, 160, 8000)])
def test_centred_log_mel_is_its_definition(rate, window, hop, high):
    samples = wave(window + 100)
    front = CentredLogMel(rate=rate, window=window, hop=hop, low=50, high=high)
    found = front(torch.from_numpy(samples)[None])[0].numpy()
    assert len(found) == 1 + len(samples) // hop
    for frame in (0, len(found) - 1):
        positions = [abs(frame * hop - window // 2 + i) for i in range(window)]
        last = len(samples) - 1
        part = [float(samples[p if p <= last else 2 * last - p]) for p in positions]
        tapered = [x * (0.5 - 0.5 * math.cos(2 * math.pi * i / window)) for i, x in enumerate(part)]
        power = [abs(value) ** 2 for value in spectrum(tapered, window)]
        for band in range(0, 64, 9):
            mel = sum(power[k] * slaney_weight(k * rate / window, band, 50, high) for k in range(window // 2 + 1))
            assert found[frame, band] == pytest.approx(10 * math.log10(max(mel, 1e-10)), abs=2e-4)


def test_filter_banks_are_their_definitions():
    filters = htk_filters(rate=16000, bins=257, bands=64, low=125, high=7500)
    loops = np.array([[htk_weight(k, band) for band in range(64)] for k in range(257)])
    assert np.abs(filters - loops).max() < 1e-12
    for rate, bins, high in ((32000, 513, 14000), (16000, 257, 8000)):
        filters = slaney_filters(rate=rate, bins=bins, bands=64, low=50, high=high)
        at = [k * rate / 2 / (bins - 1) for k in range(bins)]
        loops = np.array([[slaney_weight(f, band, 50, high) for band in range(64)] for f in at])
        assert np.abs(filters - loops).max() < 1e-12


def test_frame_counts():
    framed, centred = FramedLogMel(offset=0.01), CentredLogMel(rate=32000, window=1024, hop=320, low=50, high=14000)
    assert framed(torch.zeros(1, 400)).shape == (1, 1, 64)
    assert framed(torch.zeros(1, 16000)).shape == (1, 98, 64)
    assert framed(torch.zeros(1, 160000)).shape == (1, 998, 64)
    assert centred(torch.zeros(1, 32000)).shape == (1, 101, 64)
    assert centred(torch.zeros(1, 320000)).shape == (1, 1001, 64)


def test_silence():
    assert FramedLogMel(offset=0.01)(torch.zeros(1, 16000)).numpy() == pytest.approx(-4.605170, abs=1e-6)
    assert FramedLogMel(offset=0.001)(torch.zeros(1, 16000)).numpy() == pytest.approx(-6.907755, abs=1e-6)
    centred = CentredLogMel(rate=16000, window=512, hop=160, low=50, high=8000)
    assert centred(torch.zeros(1, 16000)).numpy() == pytest.approx(-100, abs=1e-4)


def test_short_time_transform_of_torch_needs_56_zeros_on_each_side():
    """The trap of porting VGGish: torch.stft centres the window of 400 in the 512 samples."""
    samples = torch.from_numpy(wave(16000))
    front = FramedLogMel(offset=0.01)
    window = torch.from_numpy(hann(400)).float()

    def by_stft(x):
        found = torch.stft(x, 512, 160, 400, window, center=False, return_complex=True).abs().T
        return (found @ front.filters + 0.01).log()

    right = front(samples[None])[0]
    assert (by_stft(torch.nn.functional.pad(samples, (56, 56))) - right).abs().max() < 1e-4
    assert (by_stft(samples) - right[:97]).abs().max() > 0.5


def test_patches_start_at_frame_0_and_end_at_the_last_frame():
    frames = torch.arange(198.0)[None, :, None].expand(1, 198, 64)
    assert patches(frames[:, :98], 1)[0, 0, [0, 95], 0].tolist() == [0, 95]
    both = patches(frames, 2)[0]
    assert both.shape == (2, 96, 64)
    assert both[:, 0, 0].tolist() == [0, 102]
    assert [patch_count(n) for n in (1, 15600, 16000, 16001, 160000)] == [1, 1, 1, 2, 10]


def test_front_ends_stay_in_float32_under_autocast():
    waves = torch.from_numpy(wave(16000))[None]
    for front in (FramedLogMel(offset=0.01), CentredLogMel(rate=16000, window=512, hop=160, low=50, high=8000)):
        with torch.autocast("cpu", torch.bfloat16):
            rough = front(waves)
        assert rough.dtype == torch.float32
        assert torch.equal(rough, front(waves))
