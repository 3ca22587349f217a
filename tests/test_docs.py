"""The documentation says what the code says: pages, names, generated parts, commands, links."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

import avelzoo
from avelzoo import errors

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = [ROOT / "README.md", *PAGES]

DIRECTIVE = re.compile(r"^::: (\S+)\n((?:    .*\n?|\n(?=    ))*)", re.MULTILINE)
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


def nav_pages(nav: Any) -> Iterator[str]:
    """Every page of a navigation tree."""
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict):
        for part in nav.values():
            yield from nav_pages(part)
    else:
        for part in nav:
            yield from nav_pages(part)


def directives() -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Page, object and options of every mkdocstrings directive."""
    for page in PAGES:
        for name, options in DIRECTIVE.findall(page.read_text("utf-8")):
            yield page, name, (yaml.safe_load(options) or {}).get("options", {})


def lookup(path: str) -> Any:
    """The object at a dotted path."""
    module, rest = path, []
    while module:
        try:
            found = import_module(module)
            break
        except ModuleNotFoundError:
            module, _, last = module.rpartition(".")
            rest.insert(0, last)
    for name in rest:
        found = getattr(found, name)
    return found


def blocks(path: Path, *languages: str) -> list[str]:
    """Fenced code of these languages."""
    return [code for _, language, code in FENCE.findall(path.read_text("utf-8")) if language in languages]


@pytest.fixture(scope="module")
def site() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    return loaded


def test_navigation_and_pages_are_the_same(site: dict[str, Any]) -> None:
    """The site's builder is silent about both: a page that is not there, and a page that nothing leads to."""
    listed = list(nav_pages(site["nav"]))
    assert len(listed) == len(set(listed))
    assert sorted(listed) == sorted(page.relative_to(DOCS).as_posix() for page in PAGES)


def test_only_plugins_that_both_builders_know(site: dict[str, Any]) -> None:
    names = {name if isinstance(name, str) else next(iter(name)) for name in site["plugins"]}
    assert names == {"search", "mkdocstrings"}


def test_every_public_name_has_its_place() -> None:
    documented = {name for page, name, _ in directives() if page.parent.name == "api"}
    assert {f"avelzoo.{name}" for name in avelzoo.__all__ if name != "__version__"} - documented == set()


def test_members_that_a_page_links_to_are_on_the_page_they_lead_to() -> None:
    """`[`name`][avelzoo.Class.name]` leads somewhere only if a directive for the class lists the name."""
    shown = {name for _, name, _ in directives()}
    shown |= {f"{name}.{member}" for _, name, options in directives() for member in options.get("members", ())}
    classes = {name for name in shown if inspect.isclass(lookup(name))}
    links = {
        target
        for page in PAGES
        for target in re.findall(r"\]\[(avelzoo\.[\w.]+)\]", page.read_text("utf-8"))
        if target.rpartition(".")[0] in classes
    }
    assert "avelzoo.Memory.wants_features" in links
    assert sorted(links - shown) == []


def raised_here(function: Any) -> set[str]:
    """Names of the error classes that a function's own body raises."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    calls = (node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call))
    return {call.func.id for call in calls if isinstance(call.func, ast.Name) and call.func.id[0].isupper()}


def documented_functions() -> Iterator[tuple[str, Any]]:
    """Functions and methods on the pages of the API, by their dotted name."""
    for _, name, _ in directives():
        found = lookup(name)
        members = vars(found).items() if inspect.isclass(found) else [("", found)]
        for member, value in members:
            plain = value.fget if isinstance(value, property) else inspect.unwrap(getattr(value, "__func__", value))
            if inspect.isfunction(plain) and not member.startswith("_") and plain.__module__.startswith("avelzoo"):
                yield f"{name}.{member}".rstrip("."), plain


def test_docstrings_name_the_errors_that_public_functions_raise() -> None:
    functions = dict(documented_functions())
    assert len(functions) > 100
    faults = []
    for name, function in functions.items():
        told = (function.__doc__ or "").partition("Raises:")[2]
        for error in sorted(raised_here(function)):
            kinds = getattr(getattr(errors, error, None), "__mro__", ())
            if error not in told and not any(k.__name__ in told for k in kinds if k.__name__.endswith("Error")):
                faults.append(f"{name} raises {error}")
    assert faults == []


def public_packages() -> list[str]:
    """Packages that list their public names; commands are in the command reference."""
    lists = [path for path in (ROOT / "avelzoo").rglob("__init__.py") if "__all__ = " in path.read_text("utf-8")]
    names = [".".join(path.parent.relative_to(ROOT).parts) for path in lists]
    return sorted(name for name in names if name != "avelzoo" and not name.startswith("avelzoo.cli"))


@pytest.mark.parametrize("package", public_packages())
def test_every_public_name_of_a_package_has_its_place(package: str) -> None:
    documented = [lookup(name) for _, name, _ in directives()]
    module = import_module(package)
    assert [name for name in module.__all__ if not any(getattr(module, name) is one for one in documented)] == []


def test_packages_with_public_names_are_found() -> None:
    some = {
        "avelzoo.nn",
        "avelzoo.metrics",
        "avelzoo.statistics",
        "avelzoo.charts",
        "avelzoo.timeline",
        "avelzoo.doctor",
    }
    assert some <= set(public_packages())


def test_every_argument_and_option_has_a_help_text() -> None:
    """Rows of the command reference: `| name | what it does |`."""
    reference = (DOCS / "commands.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.+`) \| ?(.*) \|$", reference, re.MULTILINE)
    assert len(rows) > 200
    assert [name for name, text in rows if not text.strip() or text.startswith("Default:")] == []
    sections = re.findall(r"^## (avelzoo .+)\n\n(.*)$", reference, re.MULTILINE)
    assert [name for name, text in sections if not text.strip() or text.startswith("```")] == []


@pytest.mark.parametrize("page", ["catalogue.md", "catalogue-baselines.md"])
def test_every_component_has_a_summary(page: str) -> None:
    """A component's section begins with a sentence, not with its table or the next heading."""
    text = (DOCS / page).read_text("utf-8")
    sections = re.findall(r"^### (\S+) \{[^}]*\}\n\n(.*)$", text, re.MULTILINE)
    assert len(sections) > 20
    assert [name for name, first in sections if not first or first[0] in "|#!:"] == []


@pytest.mark.parametrize(("name", "options"), [(name, options) for _, name, options in directives()])
def test_documented_names_exist(name: str, options: dict[str, Any]) -> None:
    found = lookup(name)
    assert found is not None
    for member in options.get("members", ()):
        assert hasattr(found, member), f"{name} has no {member}"
    if inspect.isclass(found) or inspect.isroutine(found):
        assert (found.__doc__ or "").strip(), f"{name} has no docstring"


def test_names_are_documented_once() -> None:
    names = [name for _, name, _ in directives()]
    assert [name for name in names if names.count(name) > 1] == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_in_pages_parses(path: Path) -> None:
    for code in blocks(path, "python"):
        ast.parse(code)
    for code in blocks(path, "toml"):
        tomllib.loads(code)
    for code in blocks(path, "json"):
        json.loads(code)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_in_pages_exist(path: Path) -> None:
    for code in blocks(path, "python"):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "avelzoo":
                module = import_module(str(node.module))
                assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_linked_from_pages_exist(path: Path) -> None:
    prose = FENCE.sub("", path.read_text("utf-8"))
    targets = {link.partition("#")[0] for link in LINK.findall(prose) if "://" not in link}
    assert [target for target in sorted(targets - {""}) if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.svg")), ids=lambda path: str(path.relative_to(DOCS)))
def test_pictures_are_whole_and_follow_the_scheme_of_the_page(path: Path) -> None:
    picture = ET.parse(path).getroot()  # noqa: S314 - our own files
    styles = "".join(style.text or "" for style in picture.iter("{http://www.w3.org/2000/svg}style"))
    assert "prefers-color-scheme:dark" in styles.replace(" ", "")
    assert picture.get("class") != "avz" or "var(--avz-" in styles


def test_the_example_runs(tmp_path: Path) -> None:
    small = ["encoder.width=8", "encoder.feedforward=8", "memory.size=2", "train.epochs=1", "train.limit_batches=1"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "ten_lines.py"), *small],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "what localization adds" in done.stdout
    assert len(list(tmp_path.glob("runs/*/best.safetensors"))) == 1


def shown_commands() -> Iterator[tuple[str, str]]:
    """File and text of every `avelzoo ...` line that a page shows to be typed."""
    for path in TEXTS:
        if path.name in ("commands.md", "catalogue.md"):
            continue
        for code in blocks(path, "console", "sh", "bash"):
            for line in code.replace("\\\n", " ").splitlines():
                typed = line.strip().removeprefix("$ ")
                if typed.startswith("avelzoo "):
                    yield str(path.relative_to(ROOT)), typed


def test_shown_commands_exist() -> None:
    """Every command and every option that a page tells readers to type is in the command reference."""
    reference = (DOCS / "commands.md").read_text("utf-8")
    commands = re.findall(r"^## avelzoo (.+)$", reference, re.MULTILINE)
    known = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", reference)) | {
        "--help",
        "--version",
        "--install-completion",
        "--show-completion",
    }
    seen = list(shown_commands())
    assert seen
    for path, line in seen:
        words = line.split("#")[0].split()[1:]
        assert words[0].startswith("-") or any(" ".join(words).startswith(name) for name in commands), (path, line)
        flags = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert {flag for flag in flags if "." not in flag} - known == set(), (path, line)
