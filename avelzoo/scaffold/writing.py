"""Filling the templates and writing them as one folder, or as one file."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Template

from avelzoo.errors import StorageError, UsageError, reason
from avelzoo.system.files import whole_folder, write_bytes
from avelzoo.version import __version__

KINDS: tuple[str, ...] = (
    "encoder",
    "head",
    "memory",
    "objective",
    "dataset",
    "optimizer",
    "schedule",
    "decoder",
    "sampler",
    "transform",
    "extractor",
)
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PARTS = {
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "src/$package/__init__.py": "init.py.txt",
    "src/$package/py.typed": "",
    "src/$package/plugin.py": "plugin.py.txt",
    "src/$package/config.py": "{kind}_config.py.txt",
    "src/$package/{kind}.py": "{kind}.py.txt",
    "tests/test_{kind}.py": "test.py.txt",
}


def write_package(name: str, kind: str, out: Path) -> Path:
    """Write the package ``avelzoo-NAME`` into the folder ``out``.

    Args:
        name: the component's name, in kebab-case.
        kind: one of `KINDS`.
        out: the new folder; must be empty or not exist.

    Returns:
        The folder.

    Raises:
        UsageError: the name or the kind is invalid, or the folder is not empty.
        StorageError: the folder cannot be written.
    """
    values = _values(name, kind)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"the folder '{out}' is not empty", fix="choose another folder with --out, or empty it")
    texts = {
        Template(path.format(kind=kind)).substitute(values): _filled(template.format(kind=kind), values)
        for path, template in _PARTS.items()
    }
    try:
        with whole_folder(out) as folder:
            for path, text in texts.items():
                file = folder / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"cannot write the package: {reason(error)}", where=str(out)) from error
    return out


def _filled(template: str, values: dict[str, str]) -> str:
    if not template:
        return ""
    text = files("avelzoo.scaffold").joinpath("templates", template).read_text(encoding="utf-8")
    return Template(text).substitute(values)


def write_file(name: str, kind: str, out: Path) -> Path:
    """Write a plugin of one file, with one class.

    Args:
        name: the component's name, in kebab-case.
        kind: one of `KINDS`.
        out: the new Python file; must not exist.

    Returns:
        The file.

    Raises:
        UsageError: the name, the kind or the file does not do.
        StorageError: the file cannot be written.
    """
    values = _values(name, kind) | {"file": out.name}
    if out.suffix != ".py":
        raise UsageError(f"'{out}' is no Python file", expected="a name that ends in .py")
    if out.exists():
        raise UsageError(f"'{out}' exists already", fix="choose another file")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(out, _filled(f"{kind}_file.py.txt", values).encode())
    except OSError as error:
        raise StorageError(f"cannot write the plugin: {reason(error)}", where=str(out)) from error
    return out


def _values(name: str, kind: str) -> dict[str, str]:
    """What the templates' placeholders stand for."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' is not a valid component name",
            expected="kebab-case starting with a letter, such as conv-mix",
        )
    if kind not in KINDS:
        raise UsageError(f"no template for the kind '{kind}'", expected=", ".join(KINDS))
    words = name.split("-")
    major, minor, _ = __version__.split(".")
    return {
        "name": name,
        "kind": kind,
        "distribution": f"avelzoo-{name}",
        "package": "avelzoo_" + "_".join(words),
        "Kind": kind.capitalize(),
        "Class": "".join(word.capitalize() for word in words),
        "version": f"{major}.{minor}",
        "next": f"{major}.{int(minor) + 1}",
    }
