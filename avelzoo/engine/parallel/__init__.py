"""Several processes on one run: each encodes a share of every batch, and all see all of what comes after.

- ``place``: which of how many processes this one is
- ``ranks``: what processes tell each other
- ``streams``: random numbers that are the same everywhere, and those of one process
- ``together``: a training step and a prediction shared out
- ``launch``: starting the processes, and ending all when one is lost
- ``worker``: one of them
- ``relay``: how a run goes, told from one process to another
"""

from __future__ import annotations
