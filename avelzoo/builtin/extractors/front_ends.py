"""Log-mel front ends of published audio networks: waves (b samples) to (b frames bands), in PyTorch alone.

They compute in float32 also where networks compute in bfloat16: the logarithm of small values needs the digits.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo.builtin.extractors.mel import hann, htk_filters, slaney_filters

RATE = 16_000
WINDOW = 400
HOP = 160
FFT = 512
LOW, HIGH = 125.0, 7500.0
PATCH = 96
"""Frames of an example of VGGish and YAMNet: 0.96 s."""
PATCH_SAMPLES = WINDOW + (PATCH - 1) * HOP


class FramedLogMel(nn.Module):
    """ln(mel + offset) of frames without centring: the front end of VGGish (offset 0.01) and YAMNet (0.001).

    At 16 kHz: frames of 400 samples every 160, 1 + floor((n - 400) / 160) of them; periodic Hann window; zeros on the
    right up to 512; magnitudes of 257 frequencies; HTK mel bands from 125 to 7500 Hz. Silence is ln(offset).

    Args:
        bands: number of mel bands.
        offset: added before the logarithm.
    """

    filters: Tensor
    window: Tensor

    def __init__(self, *, bands: int = 64, offset: float) -> None:
        super().__init__()
        filters = htk_filters(rate=RATE, bins=FFT // 2 + 1, bands=bands, low=LOW, high=HIGH)
        self.offset = offset
        self.bands = bands
        self.register_buffer("filters", torch.from_numpy(filters).float(), persistent=False)
        self.register_buffer("window", torch.from_numpy(hann(WINDOW)).float(), persistent=False)

    def forward(self, waves: Tensor) -> Tensor:
        """(b n) with n >= 400 -> (b 1 + floor((n - 400) / 160) bands)."""
        with torch.autocast(waves.device.type, enabled=False):
            # torch.stft would centre the window in the 512 samples, which shifts it by 56.
            frames = waves.unfold(-1, WINDOW, HOP) * self.window
            mel: Tensor = torch.fft.rfft(frames, n=FFT).abs() @ self.filters
            return (mel + self.offset).log()

    def recipe(self) -> dict[str, Any]:
        """Everything that changes the numbers."""
        return {
            "rate": RATE,
            "frames": f"{WINDOW} every {HOP}, not centred, periodic Hann, zeros to {FFT}",
            "spectrum": "magnitude",
            "mel": f"{self.bands} HTK, {LOW:g}-{HIGH:g} Hz",
            "log": f"ln(x + {self.offset:g})",
        }


class CentredLogMel(nn.Module):
    """10 log10(max(mel, 1e-10)) of centred frames: the front end of CNN14.

    Frames centred at multiples of the hop, 1 + floor(n / hop) of them, with reflection at both ends; periodic Hann
    window; power spectrum; Slaney mel bands of area 1.

    Args:
        rate: samples per second.
        window: samples of a frame and of its Fourier transform.
        hop: samples between frames.
        bands: number of mel bands.
        low: lower edge of the first band in Hz.
        high: upper edge of the last band in Hz.
    """

    filters: Tensor
    taper: Tensor

    def __init__(self, *, rate: int, window: int, hop: int, bands: int = 64, low: float, high: float) -> None:
        super().__init__()
        self.rate, self.window, self.hop, self.bands, self.low, self.high = rate, window, hop, bands, low, high
        filters = slaney_filters(rate=rate, bins=window // 2 + 1, bands=bands, low=low, high=high)
        self.register_buffer("filters", torch.from_numpy(filters).float(), persistent=False)
        self.register_buffer("taper", torch.from_numpy(hann(window)).float(), persistent=False)

    def forward(self, waves: Tensor) -> Tensor:
        """(b n) with n > window / 2 -> (b 1 + floor(n / hop) bands)."""
        half = self.window // 2
        with torch.autocast(waves.device.type, enabled=False):
            padded = F.pad(waves.unsqueeze(1), (half, half), mode="reflect").squeeze(1)
            spectrum = torch.fft.rfft(padded.unfold(-1, self.window, self.hop) * self.taper)
            mel: Tensor = (spectrum.real.square() + spectrum.imag.square()) @ self.filters
            return 10 * mel.clamp(min=1e-10).log10()

    def recipe(self) -> dict[str, Any]:
        """Everything that changes the numbers."""
        return {
            "rate": self.rate,
            "frames": f"{self.window} every {self.hop}, centred, reflected, periodic Hann",
            "spectrum": "power",
            "mel": f"{self.bands} Slaney, area 1, {self.low:g}-{self.high:g} Hz",
            "log": "10 log10(max(x, 1e-10))",
        }


class SegmentExamples(nn.Module):
    """Waves (b n) -> mean embedding (b d) of examples of 96 frames, one per started second, evenly spread.

    A segment of one second has one example: its first 96 of 98 frames, samples 0 to 15,599.

    Args:
        offset: added before the logarithm.
        network: log-mel examples (b 96 64) -> embeddings (b d).
    """

    def __init__(self, network: nn.Module, *, offset: float) -> None:
        super().__init__()
        self.front_end = FramedLogMel(offset=offset)
        self.network = network

    def forward(self, waves: Tensor) -> Tensor:
        """(b n) with n >= 15600 -> (b d)."""
        examples = patches(self.front_end(waves), patch_count(waves.shape[1]))
        found: Tensor = self.network(examples.flatten(0, 1))
        return found.float().reshape(*examples.shape[:2], -1).mean(1)

    def recipe(self) -> dict[str, Any]:
        """Everything that changes the numbers, but for the network."""
        slicing = "96 frames per started second, evenly spread from the first frame on; mean embedding"
        return {**self.front_end.recipe(), "examples": slicing}


def patches(frames: Tensor, count: int) -> Tensor:
    """Examples of 96 frames (b count 96 bands), spread evenly over (b frames bands); one example starts at frame 0."""
    last = frames.shape[1] - PATCH
    starts = [round(i * last / max(1, count - 1)) for i in range(count)]
    return torch.stack([frames[:, start : start + PATCH] for start in starts], dim=1)


def patch_count(samples: int) -> int:
    """Examples of a segment: one per started second, so that one second has one."""
    return max(1, -(-samples // RATE))
