"""Who may import whom: one direction, no back edges, and no torch before something is built."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.imports import PACKAGE, SOURCES, run_time_imports

# Lowest first. A module may import what stands on its own row or on a lower one.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("avelzoo.version", "avelzoo.errors", "avelzoo.channels", "avelzoo.tensor_record", "avelzoo.records"),
    ("avelzoo.config", "avelzoo.system"),
    ("avelzoo.components", "avelzoo.contracts", "avelzoo.jobs", "avelzoo.extractors", "avelzoo.formats"),
    # Defaults of a recipe: they rest on their contracts and PyTorch alone.
    (
        "avelzoo.builtin.samplers",
        "avelzoo.builtin.transforms",
        "avelzoo.builtin.optimizers",
        "avelzoo.builtin.schedules",
        "avelzoo.builtin.decoders.head",
    ),
    ("avelzoo.plugin",),
    ("avelzoo.composition",),
    (
        *(
            "avelzoo.nn",
            "avelzoo.metrics",
            "avelzoo.data",
            "avelzoo.published",
            "avelzoo.timeline",
            "avelzoo.weights",
            "avelzoo.media",
            "avelzoo.statistics",
            "avelzoo.charts",
        ),
        *("avelzoo.names", "avelzoo.comparing"),
    ),
    ("avelzoo.builtin",),
    ("avelzoo.engine", "avelzoo.profiling", "avelzoo.extraction", "avelzoo.exporting"),
    (
        "avelzoo.api",
        "avelzoo.published.importing",
        "avelzoo.sweeps",
        "avelzoo.testing",
        "avelzoo.scaffold",
        "avelzoo.localization",
        "avelzoo.demo",
        "avelzoo.auditing",
        "avelzoo.cards",
        "avelzoo.doctor",
    ),
    ("avelzoo.reporting",),
    ("avelzoo.experiments",),
    ("avelzoo.cli",),
    ("avelzoo.__main__", "avelzoo"),
)
RANK = {module: rank for rank, row in enumerate(LAYERS) for module in row}

# Each can be used without the others; only scores need statistics, for their intervals.
PARTS = (
    *("avelzoo.nn", "avelzoo.metrics", "avelzoo.data", "avelzoo.weights", "avelzoo.media"),
    *("avelzoo.statistics", "avelzoo.charts"),
)

# The engine reaches components through the registry alone, as it does for anybody's.
APART = (
    ("avelzoo.engine", "avelzoo.builtin"),
    ("avelzoo.extraction", "avelzoo.builtin"),
    ("avelzoo.api", "avelzoo.builtin"),
    ("avelzoo.localization", "avelzoo.builtin"),
    ("avelzoo.sweeps", "avelzoo.builtin"),
    ("avelzoo.cli", "avelzoo.builtin"),
    ("avelzoo.experiments", "avelzoo.builtin"),
    *(
        (part, other)
        for part in PARTS
        for other in PARTS
        if part != other and (part, other) != ("avelzoo.metrics", "avelzoo.statistics")
    ),
    *(
        (part, other)
        for part in ("avelzoo.nn", "avelzoo.metrics")
        for other in ("avelzoo.plugin.registry", "avelzoo.composition.recipe")
    ),
    ("avelzoo.published.official", "avelzoo.builtin"),
)
# Built-ins are found by the host as an ordinary plugin; `published` asks the host which systems there are.
BY_NAME = {("avelzoo.plugin.host", "avelzoo.builtin.plugin")}

TORCH_FREE = (
    "avelzoo",
    "avelzoo.channels",
    "avelzoo.errors",
    "avelzoo.records",
    "avelzoo.config",
    "avelzoo.components",
    "avelzoo.jobs",
    "avelzoo.system.allocator",
    "avelzoo.system.memory",
    *(f"avelzoo.plugin.{path.stem}" for path in sorted(PACKAGE.glob("plugin/*.py")) if path.stem != "__init__"),
    *(
        f"avelzoo.composition.{path.stem}"
        for path in sorted(PACKAGE.glob("composition/*.py"))
        if path.stem not in {"__init__", "lengths", "model", "objective", "returned"}
    ),
    "avelzoo.published.official",
    "avelzoo.published.importing",
    "avelzoo.api",
    "avelzoo.sweeps",
    "avelzoo.comparing",
    "avelzoo.cli",
    "avelzoo.auditing",
    "avelzoo.cli.commands.audit",
    "avelzoo.builtin.plugin",
    "avelzoo.builtin.ge2023.recipes",
    "avelzoo.builtin.names_recipe",
    "avelzoo.builtin.extractors.audio_configs",
    "avelzoo.builtin.extractors.visual_configs",
    "avelzoo.weights.store",
    "avelzoo.doctor.examining",
    *(f"avelzoo.builtin.{path.parent.name}.configs" for path in sorted(PACKAGE.glob("builtin/*/configs.py"))),
)
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
HEAVY = ("torch", "timm", "h5py", "safetensors", "einops", "scipy", "sklearn")


def layer(module: str) -> str:
    """The row of a module: itself or the nearest package above it."""
    while module not in RANK and module.count(".") > 1:
        module = module.rpartition(".")[0]
    return module


def back_edges(module: str, source: str) -> list[str]:
    """Imports of ``module`` that break the order of layers."""
    faults = []
    for line, target in run_time_imports(module, source):
        if target.partition(".")[0] != "avelzoo" or (module, target) in BY_NAME:
            continue
        here, there = layer(module), layer(target)
        climbs = RANK[there] > RANK[here]
        apart = (here, there) in APART
        if climbs or apart:
            faults.append(
                f"{module}:{line} imports {target}: {there} {'is above' if climbs else 'is kept from'} {here}"
            )
    return faults


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_imports_point_downwards(module: str) -> None:
    assert layer(module) in RANK, f"{module} has no place in the layers; give it one"
    assert not back_edges(module, SOURCES[module].read_text("utf-8"))


def test_every_ranked_module_exists() -> None:
    named = {*RANK, *PARTS, *TORCH_FREE, *(module for pair in (*APART, *BY_NAME) for module in pair)}
    assert sorted(named - SOURCES.keys()) == []
    assert sum(map(len, LAYERS)) == len(RANK), "a module has two ranks"


def test_a_back_edge_is_seen() -> None:
    assert back_edges("avelzoo.nn.attention", "def f():\n    from avelzoo.engine import trainer\n")
    assert back_edges("avelzoo.records", "import avelzoo.config")
    assert back_edges("avelzoo.engine.trainer", "from avelzoo.builtin import plugin")
    assert not back_edges("avelzoo.records", "if TYPE_CHECKING:\n    import avelzoo.config\n")
    assert not back_edges("avelzoo.engine.trainer", "from avelzoo.records import Batch")


def test_encoders_heads_and_memories_do_not_know_each_other() -> None:
    kinds = ("encoders", "heads", "memory", "objectives", "datasets", "decoders")
    faults = [
        f"{module}:{line} imports {target}"
        for module, path in SOURCES.items()
        for kind in kinds
        if module.startswith(f"avelzoo.builtin.{kind}.")
        for line, target in run_time_imports(module, path.read_text("utf-8"))
        for other in kinds
        if other != kind and target.startswith(f"avelzoo.builtin.{other}")
    ]
    assert not faults


def loaded_after(*codes: str) -> list[set[str]]:
    """Which heavy packages an interpreter holds after each of ``codes``; it starts once and forks for each of them."""
    program = f"""
import os, sys
for code in {codes!r}:
    child = os.fork()
    if not child:
        exec(code, {{}})
        print("HEAVY", *sorted(set({HEAVY!r}) & set(sys.modules)), flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit("this raises: " + code)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("HEAVY")]
    assert len(told) == len(codes)
    return [set(line.split()[1:]) for line in told]


@FORKS
def test_these_modules_stay_light() -> None:
    found = loaded_after(*(f"import {module}" for module in TORCH_FREE))
    assert {module: heavy for module, heavy in zip(TORCH_FREE, found, strict=True) if heavy} == {}


@FORKS
def test_looking_around_stays_light() -> None:
    """Everything that help, list, show and plugins read: the host, every entry, every recipe, every option."""
    code = """
from avelzoo.components import BASES, KINDS
from avelzoo.config import options
from avelzoo.plugin.default import default_host
registry = default_host().registry
for entry in registry.entries():
    if entry.kind in BASES:
        options(entry.target), entry.target().to_dict()
    if entry.kind in KINDS:
        entry.target().reads("full"), entry.target().gives("full")
    elif entry.kind == "recipe":
        entry.target("full").components()
"""
    assert loaded_after(code) == [set()]


@FORKS
def test_a_heavy_import_is_seen() -> None:
    heavy, light = loaded_after("import avelzoo.composition.model", "pass")
    assert "torch" in heavy
    assert light == set()
