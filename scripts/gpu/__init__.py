"""What `scripts/gpu_check.py` runs on the day a GPU is there.

- ``rows``: what a part found, one line each, and the table of all of them
- ``parts``: the parts by importance, each in a process and with a time limit of its own
- ``equality``: every component and every recipe computes on the device what it computes on the CPU
- ``published``: the public codes' recorded outputs
- ``resuming``: a resumed run against one that nothing interrupted
- ``features``: a data set of AVE's size, made on the device
- ``waiting``: operations that make the host wait for the device
- ``kernels``: the encoder's products, kernels of attention, the optimizer, copies to the device
- ``several``: two processes with a device each
- ``model``: the paper's system, for single steps
- ``epochs``: seconds an epoch of the paper's training takes
- ``costs``: what a step of five recipes costs, by precision, compiled and not
"""

from __future__ import annotations
