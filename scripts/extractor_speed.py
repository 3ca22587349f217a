"""Measures the speed of visual extractors on this machine: frames per second, with random weights where none lie here.

    python scripts/extractor_speed.py [threads]

docs/extractors.md has the numbers of one machine.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from avelzoo.builtin.extractors.vgg19_weights import convolutions
from avelzoo.builtin.extractors.visual_configs import ColourMotionConfig, TimmConfig, Vgg19Config, VisualConfig
from avelzoo.weights.store import WeightStore

FRAMES = 16
SIZES = ((360, 640), (720, 1280), (2160, 3840))


def rate(work: Callable[[], object], repeats: int = 4) -> float:
    """Frames per second in the quickest of some repeats."""
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return FRAMES / min(seconds)


def main() -> None:
    """Print one line per measurement."""
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    segment = rng.integers(0, 256, (1, FRAMES, 224, 224, 3), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        network = convolutions().eval()
        for layer in network:
            if isinstance(layer, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        path = Path(folder) / "vgg19.pth"
        torch.save(network.state_dict(), path)
        frames = torch.rand(FRAMES, 3, 224, 224)
        with torch.inference_mode():
            print(f"vgg19    float32 channels first  {rate(lambda: network(frames)):8.1f} frames/s")
        configs: dict[str, VisualConfig] = {"vgg19": Vgg19Config(checkpoint=path), "timm": TimmConfig()}
        for name, config in configs.items():
            exact = None
            for precision in ("32", "bf16"):
                extractor = config.build(WeightStore(offline=True), precision=precision)
                found = extractor.features(segment)
                exact = found if exact is None else exact
                error = np.linalg.norm(found - exact) / np.linalg.norm(exact)
                speed = rate(lambda e=extractor: e.features(segment))  # type: ignore[misc]
                print(f"{name:<8} {precision:<6} channels last    {speed:8.1f} frames/s, relative error {error:.4f}")
        for name, config in {**configs, "colour-motion": ColourMotionConfig()}.items():
            prepare = config.build(WeightStore(offline=True)).sampling.prepare
            for height, width in SIZES:
                frame = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
                speed = rate(lambda f=frame, p=prepare: [p(f) for _ in range(FRAMES)])  # type: ignore[misc]
                print(f"{name:<14} resizing {width} x {height}  {speed:8.0f} frames/s")


if __name__ == "__main__":
    main()
