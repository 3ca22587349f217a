"""Whether the user's shell completes avelzoo's commands."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from avelzoo.doctor.findings import Finding

SECTION = "completion"
FILES = {
    "bash": (".bash_completions/avelzoo.sh",),
    "zsh": (".zfunc/_avelzoo",),
    "fish": (".config/fish/completions/avelzoo.fish",),
}
"""Where ``--install-completion`` writes, in the home folder."""
SETTINGS = {"bash": (".bashrc", ".bash_profile", ".profile"), "zsh": (".zshrc",), "fish": (".config/fish/config.fish",)}
"""Where users may call ``--show-completion`` instead."""


def completion(home: Path | None = None, environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """A finding about the program on PATH and one about the user's shell."""
    program = shutil.which("avelzoo", path=environ.get("PATH"))
    if program is None:
        text = "the command `avelzoo` is not on PATH; `python -m avelzoo` works, but no shell completes it"
        yield Finding(SECTION, "command", "warning", text, "activate the environment, or add its folder to PATH")
    else:
        yield Finding(SECTION, "command", "ok", program)
    shell = Path(environ.get("SHELL", "")).name
    if shell not in FILES:
        yield Finding(SECTION, "shell", "ok", f"{shell or 'unknown'}: completion exists for {', '.join(FILES)}")
        return
    home = home or Path.home()
    found = [home / name for name in FILES[shell] if (home / name).is_file()]
    found += [path for name in SETTINGS[shell] if _mentions(path := home / name)]
    if found:
        yield Finding(SECTION, shell, "ok", f"installed: {found[0]}")
    else:
        yield Finding(SECTION, shell, "warning", "not installed", f"`avelzoo --install-completion {shell}`")


def _mentions(path: Path) -> bool:
    try:
        return "avelzoo --show-completion" in path.read_text("utf-8", "replace")
    except OSError:
        return False
