"""One subject in a process of its own, so that neither sees the other's memory; it works when it is told to.

Reads a JSON object a line: first what to be, then what to do. Answers each with one line.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import numpy as np
import torch

from avelzoo.system.allocator import ask_to_keep_memory, keep_freed_memory
from avelzoo.system.memory import memory_mb
from bench.products import products
from bench.sizes import Sizes, Videos
from bench.subjects import arithmetic, make


class Served:
    """A subject that does what it is told.

    Args:
        told: as `bench.parts.Worker` says it.
    """

    def __init__(self, told: dict[str, Any]) -> None:
        torch.set_num_threads(told["threads"])
        self._products = told["name"] == "products"
        if self._products:
            return
        self._sizes = Sizes(**told["sizes"])
        self._seed = told["seed"]
        self._subject = make(told["name"], self._sizes, told["precision"], self._seed)
        self._videos = Videos(self._sizes, told["videos"])
        if told["full"]:
            self._subject.fill(self._sizes)
        torch.manual_seed(self._seed)  # of the dropout
        self._held = memory_mb()
        self._done = 0

    def do(self, what: dict[str, Any]) -> dict[str, Any]:
        """One of ``step``, ``evaluate``, ``memory``, ``reseed``, ``step flops``, ``evaluate flops``; or a type."""
        if self._products:
            return products(what["dtype"])
        began = time.perf_counter()
        match what["do"]:
            case "step":
                b = self._sizes.batch
                first = (self._done * b) % max(len(self._videos) - b + 1, 1)
                loss = self._subject.step(self._videos, np.arange(first, first + b))
                self._done += 1
                return {"seconds": time.perf_counter() - began, "loss": loss}
            case "evaluate":
                self._subject.evaluate(self._videos)
                return {"seconds": time.perf_counter() - began}
            case "memory":
                return {"peak_mb": memory_mb(), "held_mb": self._held}
            case "reseed":
                torch.manual_seed(self._seed + 1)
                return {}
            case _:
                evaluate = what["do"] == "evaluate flops"
                return {"flops": arithmetic(self._subject, self._videos, self._sizes.batch, evaluate=evaluate)}


def main() -> None:
    """Answers go to the parent's stdout; what libraries print goes to stderr."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(value: Any) -> None:
        stream.write(json.dumps(value) + "\n")
        stream.flush()

    told = json.loads(sys.stdin.readline())
    if told["name"] == "avelzoo":
        ask_to_keep_memory()
        keep_freed_memory()  # as avelzoo's commands do for their processes
    served = Served(told)
    answer({})
    for line in sys.stdin:
        answer(served.do(json.loads(line)))


if __name__ == "__main__":
    main()
