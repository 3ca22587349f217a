"""Several processes of one run: each encodes a share of every batch; everything after the encoder sees whole batches.

- ``rank``: the rank of this process
- ``collectives``: all-gather, all-reduce and broadcast between processes
- ``streams``: random numbers common to all processes, and those of one process
- ``shared``: training steps and predictions split between processes
- ``launch``: starts the processes, and ends all if one is lost
- ``worker``: entry point of a started process
- ``event_file``: events of a run, from rank 0 to the launching process
"""

from __future__ import annotations
