"""The project as a whole: metadata, what is tracked, what the public door offers."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import pytest

import avelzoo

TEXT = {".py", ".md", ".toml", ".yml", ".yaml", ".txt", ".cfg", ".sh", ".html", ".css", ".json", ""}
# Spelled in pieces, so that this file does not hold what it looks for.
MACHINE_PATHS = re.compile(
    r"(?<![\w./~-])/(?:" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me/", "Us" + "ers/"]) + r")\b"
)


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))


def tracked(root: Path) -> list[Path]:
    """Files of the project: what git tracks, or all of a source archive."""
    if (root / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
        return [path for name in listed.split("\0") if name and (path := root / name).is_file()]
    return [path for top in ("avelzoo", "tests", "docs", "examples", "scripts") for path in (root / top).rglob("*.*")]


def test_no_machine_paths(root: Path) -> None:
    faults = [
        f"{path.relative_to(root)}:{number}: {line.strip()[:100]}"
        for path in tracked(root)
        if path.suffix in TEXT
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if MACHINE_PATHS.search(line)
    ]
    assert not faults


def test_machine_paths_are_recognized() -> None:
    assert MACHINE_PATHS.search("cd /" + "work/main")
    assert MACHINE_PATHS.search("'/" + "root/.cache'")
    assert not MACHINE_PATHS.search("frame/work and ../work or a/root")


def test_no_large_files(root: Path) -> None:
    assert [str(p.relative_to(root)) for p in tracked(root) if p.stat().st_size > 1_000_000] == []


# Longer than 250 lines, each for the reason given; anything new is split instead.
LONG = {
    "avelzoo/__init__.py": "every public name",
    "avelzoo/components.py": "the base of every kind of config",
    "avelzoo/config.py": "how a field becomes an option",
    "avelzoo/records.py": "every record that parts hand to each other",
}


def test_files_stay_small(root: Path) -> None:
    """A module that grows past 250 lines holds two things."""
    long = {
        path.relative_to(root).as_posix(): lines
        for path in tracked(root)
        if path.suffix == ".py" and "tests" not in path.relative_to(root).parts
        if (lines := path.read_text("utf-8").count("\n")) > 250
    }
    assert {name: lines for name, lines in long.items() if name not in LONG or lines > 350} == {}
    assert LONG.keys() <= long.keys(), "shorter now: take it off the list"


def test_wheels_ship_the_license_that_they_state(root: Path, project: dict[str, Any]) -> None:
    files = [*root.glob("plugins/*/pyproject.toml"), root / "pyproject.toml"]
    stated = {tomllib.loads(file.read_text("utf-8"))["project"]["license"] for file in files}
    assert stated == {project["project"]["license"]}
    assert metadata.metadata("avelzoo")["License-Expression"] in stated


def test_version_has_one_source(root: Path, project: dict[str, Any]) -> None:
    assert project["project"]["dynamic"] == ["version"]
    assert (root / project["tool"]["hatch"]["version"]["path"]).read_text("utf-8").count(avelzoo.__version__) == 1
    assert metadata.version("avelzoo") == avelzoo.__version__


def test_changelog_knows_the_version(root: Path) -> None:
    headings = re.findall(r"^## \[(.+?)\]", (root / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert avelzoo.__version__ in headings


def test_the_package_is_typed(root: Path) -> None:
    assert (root / "avelzoo" / "py.typed").is_file()


@pytest.mark.parametrize("name", avelzoo.__all__)
def test_public_names_exist(name: str) -> None:
    assert getattr(avelzoo, name) is not None


def test_type_checkers_see_the_same_names(root: Path) -> None:
    """The imports under TYPE_CHECKING and the table of lazy imports say the same."""
    tree = ast.parse((root / "avelzoo" / "__init__.py").read_text("utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    seen = {(n.module, a.asname) for n in block.body if isinstance(n, ast.ImportFrom) for a in n.names}
    assert seen == {(module, name) for module, names in avelzoo._HOME.items() for name in names}
    assert len(set(avelzoo.__all__)) == len(avelzoo.__all__)


def test_unknown_public_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        avelzoo.nonsense  # noqa: B018


def test_scripts_point_somewhere(project: dict[str, Any]) -> None:
    module, _, function = project["project"]["scripts"]["avelzoo"].partition(":")
    assert callable(getattr(import_module(module), function))


def test_every_make_target_that_a_page_names_exists(root: Path) -> None:
    """Also those of this file's own help, which lists a target only with its explanation."""
    shown = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True).stdout
    targets = set(re.findall(r"^  make ([a-z-]+)\t+\S", shown, re.MULTILINE))
    pages = [root / "README.md", root / ".ci" / "run", *root.glob("docs/**/*.md")]
    named = {
        target
        for page in pages
        if page.exists()
        for target in re.findall(r"(?:`|^)make (?:--[a-z-]+ )*([a-z][a-z-]*)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert {"demo", "test", "test-fast", "coverage"} <= named | targets
    assert named <= targets
