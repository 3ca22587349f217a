"""One of several runs that share the cores: prints its threads, then time and CPU seconds after every training step."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import nullcontext

from avelzoo.system.allocator import ask_to_keep_memory, keep_freed_memory
from avelzoo.system.threads import Load, bound_spinning, threads

CHOSEN = "chosen"


def main(how: str, sizes: str) -> None:
    """Train until the process is ended.

    Args:
        how: ``chosen``: threads and waiting as in `avelzoo run`; ``default``: torch's own.
        sizes: as JSON.
    """
    if how == CHOSEN:
        bound_spinning()
    ask_to_keep_memory()
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    load = Load()
    import numpy as np  # the load is measured while PyTorch is imported, as in the command
    import torch

    from bench.sizes import Sizes, Videos
    from bench.subjects import Ours

    keep_freed_memory()
    with threads(None, load=load) if how == CHOSEN else nullcontext():
        print(torch.get_num_threads(), file=stream, flush=True)
        given = Sizes(**json.loads(sizes))
        subject, videos = Ours(given), Videos(given, given.batch)
        subject.fill(given)
        while True:
            subject.step(videos, np.arange(given.batch))
            print(json.dumps([time.monotonic(), time.process_time()]), file=stream, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
