"""One process of a run that `launch` started: ``python -m avelzoo.engine.parallel.worker ROOM``."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
import warnings
from pathlib import Path
from typing import Any

from avelzoo import engine
from avelzoo.composition.resolving import from_dict
from avelzoo.engine.parallel.collectives import LostError
from avelzoo.engine.parallel.event_file import EventFileWriter
from avelzoo.engine.parallel.rank import Rank, find_rank
from avelzoo.errors import TrainingError, explain
from avelzoo.plugin.default import default_host
from avelzoo.system.allocator import keep_freed_memory
from avelzoo.system.files import write_json

_FAILED = 1


def main(room: Path) -> int:
    """Take part in the run described in ``room``; the outcome is written there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the launching process receives the signal too, and ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    rank = find_rank()
    assert rank is not None, "the launcher sets the rank of this process"
    try:
        with warnings.catch_warnings():
            task = json.loads((room / "task.json").read_text(encoding="utf-8"))
            keep_freed_memory(task["device"])
            _take_part(room, rank, task)
    except BaseException as error:  # noqa: BLE001 - all errors are reported in one place
        if os.environ.get("AVELZOO_DEBUG") == "1":
            traceback.print_exc()
        report = explain(error).to_dict() | {"lost": isinstance(error, LostError)}
        if isinstance(error, LostError):
            report["error"] = TrainingError.__name__
        write_json(room / f"error-{rank.rank}.json", report)
        return _FAILED
    return 0


def _take_part(room: Path, rank: Rank, task: dict[str, Any]) -> None:
    warnings.simplefilter("ignore")  # the launching process has already warned about plugins
    host = default_host()
    for file in task["plugins"]:
        host.add_file(Path(file))
    writer = EventFileWriter(room / "events.jsonl") if rank.rank == 0 else None
    if writer is not None:
        warnings.simplefilter("default")
        warnings.showwarning = lambda message, *_args, **_more: writer.warn(str(message))
    result = engine.run(
        from_dict(host.registry, task["composition"]),
        Path(task["out"]),
        registry=host.registry,
        resume=task["resume"],
        device=task["device"],
        command=task["command"],
        listeners=[writer] if writer else [],
    )
    if rank.local_rank == 0:
        write_json(room / "result.json", result.to_dict())


def _end_with_parent() -> None:
    """Wait for the end of standard input, which closes when the launching process ends."""
    while os.read(0, 1):
        pass
    os._exit(_FAILED)


if __name__ == "__main__":
    code = main(Path(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # without the other processes, an orderly exit may hang
