"""The arithmetic floor: how fast matrix products are here, in this run."""

from __future__ import annotations

from bench.parts import Options, Worker

TYPES = {"32": "float32", "bf16-mixed": "bfloat16"}


def throughput(options: Options, turns: int = 3) -> dict[str, float]:
    """FLOP/s by precision: the best of several turns, as a floor has to be."""
    with Worker("products", options) as worker:
        return {
            precision: max(worker.ask(dtype=dtype)["flops"] for _ in range(turns)) for precision, dtype in TYPES.items()
        }
