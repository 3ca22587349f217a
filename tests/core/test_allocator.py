"""Memory that a process frees is its own to use again."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from avelzoo.errors import UsageError
from avelzoo.system import allocator
from avelzoo.system.allocator import SWITCH

SCRIPT = """
import resource, sys
import torch
from avelzoo.system.allocator import ask_to_keep_memory, keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        torch.ones(16 * 2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.ones(16 * 2**20)
returned = faults()
assert not keep_freed_memory(), "nobody asked"
ask_to_keep_memory()
assert not keep_freed_memory("cuda:0"), "not for a GPU"
done = keep_freed_memory()
torch.ones(16 * 2**20)
print(done, returned, faults())
"""


@pytest.mark.parametrize(("value", "kept"), [("system", False), ("keep", True)])
def test_the_environment_decides(value, kept, monkeypatch):
    monkeypatch.setenv(SWITCH, value)
    monkeypatch.setattr(allocator, "_reserve", lambda libc: None)
    monkeypatch.setattr(allocator, "_KEPT", threading.Event())
    monkeypatch.setattr(
        allocator.ctypes, "CDLL", lambda name: SimpleNamespace(gnu_get_libc_version=1, mallopt=lambda *_: 1)
    )
    allocator.ask_to_keep_memory()
    assert not allocator.keeps_memory()
    assert allocator.keep_freed_memory() is (kept and sys.platform == "linux")
    assert allocator.keeps_memory() is (kept and sys.platform == "linux")


def test_an_unknown_value_is_refused(monkeypatch):
    monkeypatch.setenv(SWITCH, "jemalloc")
    with pytest.raises(UsageError, match=f"unknown value of {SWITCH}"):
        allocator.keep_freed_memory()


def test_pages_are_not_cleared_again_for_every_tensor():
    env = {name: value for name, value in os.environ.items() if name != SWITCH}
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env=env)
    done, returned, kept = ran.stdout.split()
    if done == "False":
        pytest.skip("the C library has no such setting")
    assert int(returned) >= 5, "five mappings fault at least five times"
    assert int(kept) * 2 < int(returned)  # where memory is short, a mapping or two fault anew
