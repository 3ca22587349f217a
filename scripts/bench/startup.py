"""Start-up: what ``--help`` costs over a bare Python, and how long a run takes to its first step."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.parts import Options
from bench.results import Goal, Row, Section

BARE = [sys.executable, "-c", "pass"]
TORCH = [sys.executable, "-c", "import torch"]
HELP = [sys.executable, "-m", "avelzoo", "--help"]
FIRST_STEP = """
import sys
from avelzoo import Listener, run

class FirstStep(Listener):
    def step_finished(self, epoch, step, steps):
        sys.stdout.write("first step\\n")
        sys.stdout.flush()

run("ead-b", encoder="st-fusion", out=sys.argv[1], listeners=[FirstStep()])
"""


def measure(options: Options) -> Section:
    """Each in a fresh process, in turns."""
    bare, helped, torch, first = [], [], [], []
    for _ in range(options.repeats):
        bare.append(finished(BARE))
        helped.append(finished(HELP))
        torch.append(finished(TORCH))
        first.append(to_first_line())
    rows = [
        Row(
            name="avelzoo --help",
            unit="s",
            value=statistics.median(helped),
            floor=statistics.median(bare),
            goal=Goal(of="value", limit=0.3),
            note="floor: a bare Python",
        ),
        Row(
            name="avelzoo run to its first step, embedded data",
            unit="s",
            value=statistics.median(first),
            floor=statistics.median(torch),
            goal=Goal(of="value", limit=3.0),
            note="floor: importing torch",
        ),
    ]
    facts = {"bare": bare, "help": helped, "torch": torch, "first_step": first}
    return Section(name="startup", rows=rows, facts=facts)


def finished(command: list[str]) -> float:
    """Seconds a command takes."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def to_first_line() -> float:
    """Seconds until a run says that its first step is done; it is ended there."""
    with tempfile.TemporaryDirectory() as scratch:
        began = time.perf_counter()
        command = [sys.executable, "-c", FIRST_STEP, str(Path(scratch) / "run")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            took = time.perf_counter() - began
            process.kill()
        if line.strip() != "first step":
            raise SystemExit("the run ended before its first step")
        return took
