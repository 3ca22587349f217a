"""The arithmetic floor: how fast matrix products are here, in this run."""

from __future__ import annotations

from collections.abc import Mapping

from bench.parts import Options, Worker

TYPES = {"32": "float32", "bf16-mixed": "bfloat16"}
Speeds = Mapping[str, Mapping[str, float]]


def product_speeds(options: Options, turns: int = 2) -> dict[str, dict[str, float]]:
    """FLOP/s by precision and direction: the best of several turns, as a floor needs."""
    found: dict[str, dict[str, float]] = {precision: {} for precision in TYPES}
    with Worker("products", options) as worker:
        for _ in range(turns):
            for precision, dtype in TYPES.items():
                for name, speed in worker.ask(dtype=dtype).items():
                    found[precision][name] = max(speed, found[precision].get(name, 0.0))
    return found


def told(speeds: Speeds, direction: str = "step") -> str:
    """Both speeds in words."""
    single, half = (speeds[precision][direction] / 1e9 for precision in TYPES)
    return f"products: float32 {single:.0f} GFLOP/s, bf16 {half:.0f} GFLOP/s ({half / single:.1f} times as fast)"
