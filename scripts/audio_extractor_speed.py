"""Measures the speed of audio extractors on this machine: segments of one second per second of work.

    python scripts/audio_extractor_speed.py [threads]

Networks whose weights are not here get random ones. docs/extractors.md has the numbers of one machine.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from avelzoo.builtin.extractors.audio_configs import Cnn14Config, LogMelConfig, VggishConfig, YamnetConfig
from avelzoo.builtin.extractors.cnn14 import Cnn14
from avelzoo.builtin.extractors.vggish import Vggish
from avelzoo.extractors import AudioSampling, Extractor, ExtractorConfig
from avelzoo.weights.store import WeightStore

SEGMENTS = 32
REPEATS = 5


def saved(network: nn.Module, path: Path) -> Path:
    """A file with random weights that keep the scale of activations."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    torch.save(network.state_dict(), path)
    return path


def measured(extractor: Extractor, waves: np.ndarray) -> float:
    """Segments per second in the quickest of some repeats."""
    extractor.features(waves)
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        extractor.features(waves)
        seconds.append(time.perf_counter() - start)
    return len(waves) / min(seconds)


def main() -> None:
    """Print one line per extractor and number format."""
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        vggish = saved(Vggish(), Path(folder) / "vggish.pth")
        cnn14 = saved(Cnn14(), Path(folder) / "cnn14.pth")
        configs: tuple[tuple[str, ExtractorConfig], ...] = (
            ("log-mel", LogMelConfig()),
            ("yamnet", YamnetConfig()),
            ("vggish", VggishConfig(checkpoint=vggish)),
            ("cnn14 32k", Cnn14Config(checkpoint=cnn14)),
            ("cnn14 16k", Cnn14Config(variant="16k", checkpoint=cnn14)),
        )
        for name, config in configs:
            exact = None
            for precision in ("32", "bf16") if config.weights() or hasattr(config, "checkpoint") else ("32",):
                extractor = config.build(WeightStore(offline=True), precision=precision)
                assert isinstance(extractor.sampling, AudioSampling)
                waves = rng.uniform(-1, 1, (SEGMENTS, extractor.sampling.rate)).astype(np.float32)
                waves = waves if exact is None else exact[0]
                found = extractor.features(waves)
                exact = exact or (waves, found)
                error = np.linalg.norm(found - exact[1]) / np.linalg.norm(exact[1])
                speed = measured(extractor, waves)
                print(f"{name:<10} {precision:<5} {speed:8.1f} segments/s, relative error {error:.4f}")


if __name__ == "__main__":
    main()
