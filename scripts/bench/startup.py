"""Start-up: what ``--help`` costs over a bare Python, and how long a run takes to its first step."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.parts import Options, Row, Section

BARE = [sys.executable, "-c", "pass"]
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
    bare, helped, first = [], [], []
    for _ in range(options.repeats):
        bare.append(finished(BARE))
        helped.append(finished(HELP))
        first.append(to_first_line())
    rows = [
        Row(
            name="avelzoo --help",
            unit="s",
            ours=statistics.median(helped),
            floor=statistics.median(bare),
            goal="floor + 0.3",
            note="floor: a bare Python",
        ),
        Row(name="run to its first step, embedded data", unit="s", ours=statistics.median(first), goal="6"),
    ]
    return Section(name="startup", rows=rows, figures={"bare": bare, "help": helped, "first_step": first})


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
