"""Follows a page of the documentation as a reader does: writes its files, types its commands, runs its Python.

Fenced blocks are taken in order. `console` blocks hold `$ command` lines, each with the lines it prints; `python`
blocks run in one namespace per page; a block with a `title` is written to the file of that name. A `text` block after
a Python block is what that prints. Printed lines are compared by their words, not digits; `...` is any line.

A comment before a block changes how it is run here, not how readers see it: `<!-- shortened: --epochs 1 -->` replaces
or adds options of every avelzoo command in the block, `<!-- not run: reason -->` leaves the block out.
"""

from __future__ import annotations

import io
import re
import shlex
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avelzoo.cli import main

BLOCK = re.compile(
    r"^(?:<!-- (?P<rule>shortened|not run): (?P<told>.*?) -->\n\n?)?"
    r"^```(?P<language>\w+)(?P<info>[^\n]*)\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
TITLE = re.compile(r'title="([^"]+)"')
WORD = re.compile(r"[A-Za-z][A-Za-z_-]+")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    language: str
    code: str
    title: str | None = None
    shortened: tuple[str, ...] = ()
    skipped: str | None = None


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = []
    for match in BLOCK.finditer(page.read_text("utf-8")):
        title = TITLE.search(match["info"])
        told, rule = match["told"] or "", match["rule"]
        shortened = tuple(shlex.split(told)) if rule == "shortened" else ()
        skipped = told if rule == "not run" else None
        found.append(Block(match["language"], match["code"], title and title[1], shortened, skipped))
    return found


def commands(block: Block) -> list[tuple[str, list[str]]]:
    """The typed lines of a console block, each with the lines that the page shows after it."""
    found: list[tuple[str, list[str]]] = []
    for line in block.code.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        elif line.strip():
            found[-1][1].append(line)
    return found


def with_options(words: list[str], options: tuple[str, ...]) -> list[str]:
    """A command whose options are replaced by these; `--set` is added, one that only these have too."""
    kept, rest = [], list(words)
    replaced = {word for word in options if word.startswith("--")} - {"--set"}
    while rest:
        word = rest.pop(0)
        if word in replaced:
            rest = rest[1:]
        else:
            kept.append(word)
    return [*kept, *options]


def is_shown(line: str, printed: list[str]) -> bool:
    """Whether a printed line has the words of a shown one."""
    return WORD.findall(line) in [WORD.findall(other) for other in printed]


class Walk:
    """A reader of one page, in the working directory."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "tutorial"}
        self.printed = ""

    def follow(self, page: Path) -> int:
        """Run every block of a page and compare what it prints; returns how many were run."""
        run = 0
        for block in blocks(page):
            if block.skipped is not None:
                continue
            if block.title is not None:
                Path(block.title).parent.mkdir(parents=True, exist_ok=True)
                Path(block.title).write_text(block.code, encoding="utf-8")
            elif block.language == "console":
                for typed, shown in commands(block):
                    self.type(typed, block.shortened)
                    self.compare(typed, shown)
                    self.printed = ""
                    run += 1
            elif block.language == "python":
                self.execute(block.code)
                run += 1
            elif block.language == "text" and self.printed:
                self.compare(page.name, block.code.splitlines())
                self.printed = ""
        return run

    def type(self, typed: str, shortened: tuple[str, ...]) -> None:
        """Run one command line; avelzoo's in this process, to save imports."""
        words = shlex.split(typed, comments=True)
        words = [part for word in words for part in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]
        if words[0] == "avelzoo":
            told = io.StringIO()
            with redirect_stdout(told), redirect_stderr(told):
                code = main(with_options(words[1:], shortened))
            self.printed = told.getvalue()
        else:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            code, self.printed = done.returncode, done.stdout + done.stderr
        assert code == 0, f"$ {typed}\n{self.printed}"

    def execute(self, code: str) -> None:
        """Run one Python block."""
        told = io.StringIO()
        with redirect_stdout(told):
            exec(compile(code, "<page>", "exec"), self.names)  # noqa: S102 - written by this project
        self.printed = told.getvalue()

    def compare(self, what: str, shown: list[str]) -> None:
        """Every shown line was printed, but for its digits."""
        printed = self.printed.splitlines()
        missing = [line for line in shown if WORD.search(line) and not is_shown(line, printed)]
        assert missing == [], f"{what}: the page shows lines that are not printed\n{self.printed}"
