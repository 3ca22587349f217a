"""Several processes on one run: each encodes a share of every batch, and all see all of what comes after.

- ``rank``: the rank of this process
- ``collectives``: all-gather, all-reduce and broadcast between processes
- ``streams``: random numbers that are the same everywhere, and those of one process
- ``shared``: a training step and a prediction shared out
- ``launch``: starting the processes, and ending all when one is lost
- ``worker``: one of them
- ``event_file``: how a run goes, from one process to another
"""

from __future__ import annotations
