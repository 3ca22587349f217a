"""A job in a worker process of Ray."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from avelzoo import Job, Outcome, perform


def run_task(job: Job, threads: int) -> Outcome:
    """Run the job; its output goes to its log, as with other launchers that start processes.

    Args:
        job: the job.
        threads: number of threads, if the job does not name it. Set before the job imports torch.
    """
    count = str(job.threads or threads)
    os.environ.update(OMP_NUM_THREADS=count, MKL_NUM_THREADS=count, OPENBLAS_NUM_THREADS=count)
    if job.log is None:
        return perform(job)
    os.environ.setdefault("AVELZOO_DEBUG", "1")  # tracebacks go to logs
    with _output_to(Path(job.log)):
        return perform(job)


@contextmanager
def _output_to(log: Path) -> Iterator[None]:
    """Append this process's output to a file, that of libraries and child processes too."""
    log.parent.mkdir(parents=True, exist_ok=True)
    kept = [os.dup(1), os.dup(2)]
    with log.open("ab") as file:
        try:
            for number in (1, 2):
                os.dup2(file.fileno(), number)
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, before in zip((1, 2), kept, strict=True):
                os.dup2(before, number)
                os.close(before)
