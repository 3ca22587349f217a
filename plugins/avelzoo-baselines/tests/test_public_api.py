"""Plugins import names of `avelzoo` and of its public modules alone: those that the API pages list."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import avelzoo

PLUGINS = Path(__file__).resolve().parents[2]
PUBLIC_MODULES = (
    *("avelzoo.channels", "avelzoo.errors", "avelzoo.metrics", "avelzoo.nn", "avelzoo.testing"),
    "avelzoo.cli.render",  # `emit_json`, for commands of plugins
)
SOURCES = sorted(PLUGINS.glob("*/src/**/*.py"))


def faults(source):
    """Every import from avelzoo that is not public, those for type checkers and inside functions included."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            found += [name for name in names if name.startswith("avelzoo.") and name not in PUBLIC_MODULES]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level == 0 and module == "avelzoo":
                found += [f"avelzoo.{alias.name}" for alias in node.names if alias.name not in avelzoo.__all__]
            elif node.level == 0 and module.startswith("avelzoo.") and module not in PUBLIC_MODULES:
                found.append(module)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: "/".join(path.parts[-2:]))
def test_only_the_public_door(path):
    assert faults(path.read_text("utf-8")) == []


def test_every_plugin_is_looked_at():
    looked_at = {path.relative_to(PLUGINS).parts[0] for path in SOURCES}
    assert looked_at >= {"avelzoo-baselines", "avelzoo-ray", "avelzoo-tensorboard"}


@pytest.mark.parametrize(
    "source",
    [
        "from avelzoo.engine.rundir import RunDir",
        "import avelzoo.engine",
        "from avelzoo import nonsense",
        "def f():\n    from avelzoo.nn.attention import Attention",
        "if TYPE_CHECKING:\n    from avelzoo.contracts import Encoder",
    ],
)
def test_a_back_door_is_seen(source):
    assert len(faults(source)) == 1


def test_the_front_door_is_open():
    own = "from avelzoo_baselines.shared import options"
    assert faults(f"import avelzoo\nfrom avelzoo import Encoder, Recipe\nfrom avelzoo.nn import Attention\n{own}") == []
