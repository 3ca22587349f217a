"""No import circles, and a module knows its config as a type alone."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.imports import ROOT, SOURCES, WITH_PLUGINS, circles, run_time_imports


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    """The modules of the project that each of them imports."""
    return {
        module: {target for _, target in run_time_imports(module, path.read_text("utf-8")) if target in WITH_PLUGINS}
        for module, path in WITH_PLUGINS.items()
    }


def test_there_are_no_import_circles(graph: dict[str, set[str]]) -> None:
    assert sorted(map(sorted, circles(graph))) == []


def test_a_module_imports_its_config_for_type_checkers_alone(graph: dict[str, set[str]]) -> None:
    """Encoders, heads, memories, data sets and launchers are given their config and need its type, not the module."""
    ready_made = re.compile(
        r"\.(configs?|plugin|register|official|recipes|\w+_recipe|objective)$"
    )  # made of configs themselves
    modules = [m for m in WITH_PLUGINS if not m.startswith("avelzoo.") or m.startswith("avelzoo.builtin.")]
    assert len(modules) > 100
    faults = [
        f"{module} imports {target}"
        for module in modules
        if not ready_made.search(module)
        for target in graph[module]
        if re.search(r"\.configs?$", target) and target != "avelzoo.config"
    ]
    assert not faults, "move these imports under TYPE_CHECKING: " + "; ".join(faults)


def test_a_circle_is_seen() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == {frozenset("abc")}
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == set()


def test_every_file_of_the_package_is_read() -> None:
    assert {"avelzoo.api", "avelzoo.nn.attention"} <= SOURCES.keys() < WITH_PLUGINS.keys()
    assert {"avelzoo_baselines.plugin", "avelzoo_ray.launcher"} <= WITH_PLUGINS.keys()


def test_a_test_module_has_one_import_name() -> None:
    """`tests.models.worlds` and `models.worlds` would be two modules with state of their own."""
    folders = ("tests/**/*.py", "plugins/*/tests/*.py", "scripts/**/*.py")
    own = {path.stem for path in (ROOT / "tests").iterdir()} - {path.stem for path in (ROOT / "scripts").iterdir()}
    own -= sys.stdlib_module_names  # `tests/statistics` is not Python's
    faults = [
        f"{path.relative_to(ROOT)}:{line} imports {target}"
        for folder in folders
        for path in sorted(ROOT.glob(folder))
        for line, target in run_time_imports(str(path), path.read_text("utf-8"))
        if target.partition(".")[0] in own
    ]
    assert not faults
    loaded: dict[str, str] = {}
    for name, module in sys.modules.copy().items():
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(ROOT / "tests"):
            assert loaded.setdefault(file, name) == name, f"{file} is both {loaded[file]} and {name}"
    assert len(loaded) > 1
