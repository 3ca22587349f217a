"""Worker process of `Local`: reads one job from stdin, writes its outcome to stdout.

Stdin stays open as long as the launcher lives. When it closes, this process ends at once, so that a killed launcher
leaves no processes behind.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import replace

from avelzoo.jobs import Job, perform
from avelzoo.system.memory import memory_mb

ABANDONED = 75


def main() -> None:
    """Run the job."""
    with os.fdopen(
        os.dup(0), "rb", buffering=0
    ) as stream:  # unbuffered, because a buffer's lock would block the thread below
        request = json.loads(stream.readline())
    sys.path[:] = request["path"]
    answer = os.dup(1)
    os.dup2(2, 1)  # the job's output goes to its log; only the outcome goes to the launcher
    threading.Thread(target=_follow, daemon=True).start()
    outcome = replace(perform(Job(**request["job"])), memory_mb=memory_mb())
    sys.stdout.flush()
    with os.fdopen(answer, "w", encoding="utf-8") as stream:
        json.dump(outcome.to_dict(), stream)


def _follow() -> None:
    while os.read(0, 1):
        pass
    if os.getpgrp() == os.getpid():  # with all child processes of the job
        os.killpg(0, signal.SIGKILL)
    os._exit(ABANDONED)


if __name__ == "__main__":
    main()
