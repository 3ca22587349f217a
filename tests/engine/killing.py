"""Kills runs and resumes them, each in a process of its own; prints as JSON what became of them.

One interpreter forks them all, so that torch is imported once: ``python -m tests.engine.killing FOLDER``.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avelzoo import engine
from avelzoo.composition.resolving import Composition
from tests.engine.reading import numbers
from tests.engine.tiny import composed, tiny_registry

OPTIONS = {"train_epochs": 2, "train_clip_norm": 1.0, "train_accumulate": 2, "train_ema_decay": 0.5}
COMPOSITION = composed(**OPTIONS, transform="noise", optimizer="adamw")
READING = composed(**OPTIONS, transform="noise", optimizer="adamw", compute_workers=2)

os.fsync = lambda fd: None  # what a killed process wrote is there all the same


def train(folder: Path, *, kill_at: int = 0, after: bool = False, composition: Composition = COMPOSITION) -> None:
    """A run that goes on with what is there; dies at its ``kill_at``-th renaming, before or after it."""
    seen = 0

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event == "os.rename" and str(folder) in str(arguments[0]):
            seen += 1
            if seen == kill_at and not after:
                os.kill(os.getpid(), signal.SIGKILL)
        elif kill_at and seen == kill_at and event in ("open", "os.remove") and str(folder) in str(arguments[0]):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    engine.run(composition, folder, registry=tiny_registry(), device="cpu", resume=True)


def forked(action: Callable[[], None], *, patience: float | None = None) -> str:
    """How ``action`` ended in a process of its own: 'done', 'killed' or 'failed'; killed when patience is over."""
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException:  # noqa: BLE001, nothing of the child may reach the parent's code
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if patience is not None:
        time.sleep(patience)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "killed"
    return "done" if os.WEXITSTATUS(status) == 0 else "failed"


def killed_once(root: Path, expected: dict[str, Any]) -> list[dict[str, Any]]:
    """A kill before and after every renaming of a run, then a resumption."""
    found = []
    for after in (False, True):
        for kill_at in range(1, 100):
            folder = root / f"once-{kill_at}-{after}"
            first = forked(lambda: train(folder, kill_at=kill_at, after=after))  # noqa: B023, it runs at once
            if first == "done":
                break
            second = forked(lambda: train(folder))  # noqa: B023
            same = second == "done" and numbers(folder) == expected
            found.append({"kill": kill_at, "after": after, "first": first, "second": second, "same": same})
    return found


def killed_again_and_again(root: Path, expected: dict[str, Any]) -> dict[str, Any]:
    """Every process gets through one epoch and dies."""
    folder, deaths = root / "chain", 0
    while forked(lambda: train(folder, kill_at=5)) == "killed":
        deaths += 1
    return {"deaths": deaths, "same": numbers(folder) == expected}


def killed_while_reading(root: Path, expected: dict[str, Any]) -> list[dict[str, Any]]:
    """Kills of runs whose batches other processes read, which must not keep the folder, and resumptions."""
    found = []
    for kill_at in (3, 5, 7):
        folder = root / f"reading-{kill_at}"
        first = forked(lambda: train(folder, kill_at=kill_at, composition=READING))  # noqa: B023
        second = forked(lambda: train(folder, composition=READING))  # noqa: B023
        same = second == "done" and numbers(folder) == expected
        found.append({"kill": kill_at, "first": first, "second": second, "same": same})
    return found


def killed_at_random(root: Path, expected: dict[str, Any], seconds: float) -> list[dict[str, Any]]:
    """Kills from outside, at moments nobody chose."""
    found = []
    moments = random.Random(0)  # noqa: S311
    for i in range(4):
        folder = root / f"random-{i}"
        first = forked(lambda: train(folder), patience=moments.uniform(0.1, 1.0) * seconds)  # noqa: B023
        second = forked(lambda: train(folder))  # noqa: B023
        found.append({"first": first, "second": second, "same": second == "done" and numbers(folder) == expected})
    return found


def main(root: Path) -> None:
    """All of it."""
    began = time.perf_counter()
    assert forked(lambda: train(root / "straight")) == "done"
    seconds = time.perf_counter() - began
    expected = numbers(root / "straight")
    told = {
        "once": killed_once(root, expected),
        "chain": killed_again_and_again(root, expected),
        "reading": killed_while_reading(root, expected),
        "random": killed_at_random(root, expected, seconds),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
