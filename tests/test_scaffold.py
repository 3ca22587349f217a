"""What `avelzoo new` writes is a plugin that keeps its promises; the example in the repository is such a one."""

from __future__ import annotations

import importlib
import sys

import pytest

from avelzoo.errors import UsageError
from avelzoo.plugin.host import PluginHost
from avelzoo.scaffold import KINDS, write_file, write_package
from avelzoo.testing import run_checks


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_passes_its_own_checks(kind, tmp_path, monkeypatch):
    folder = write_package(f"fresh-{kind}", kind, tmp_path / "made")
    monkeypatch.syspath_prepend(str(folder / "src"))
    monkeypatch.setenv("PYTHONPATH", str(folder / "src"))
    host = PluginHost(entry_points=False)
    host.add(importlib.import_module(f"avelzoo_fresh_{kind}.plugin"), name="fresh")
    entry = host.registry.get(kind, f"fresh-{kind}")
    assert entry.plugin == "fresh"
    assert [finding for finding in run_checks(entry.target()) if finding.error] == []
    for module in [name for name in sys.modules if name.startswith(f"avelzoo_fresh_{kind}")]:
        del sys.modules[module]


def test_the_example_is_what_the_command_writes(root, tmp_path):
    fresh = write_package("conv-mix", "encoder", tmp_path / "fresh")
    example = root / "examples" / "minimal-plugin"
    here = {f.relative_to(fresh): f.read_text() for f in fresh.rglob("*") if f.is_file()}
    there = {
        f.relative_to(example): f.read_text()
        for f in example.rglob("*")
        if f.is_file() and "__pycache__" not in f.parts and ".egg-info" not in str(f)
    }
    assert there == here, "write the example again: avelzoo new conv-mix --out examples/minimal-plugin"


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_file_passes_its_own_checks(kind, tmp_path):
    file = write_file("fresh-part", kind, tmp_path / "fresh_part.py")
    host = PluginHost(entry_points=False)
    host.add_file(file)
    assert [finding for finding in run_checks(host.registry.get(kind, "fresh-part").target()) if finding.error] == []


def test_the_example_of_one_file_is_what_the_command_writes(root, tmp_path):
    fresh = write_file("my-idea", "encoder", tmp_path / "idea.py").read_text()
    assert (root / "examples" / "idea.py").read_text() == fresh
    shown = (root / "docs" / "how-to" / "writing-a-plugin.md").read_text()
    assert fresh.partition('"""\n\n')[2] in shown, "the page shows another class than examples/idea.py"


def test_a_file_that_is_there_or_no_python_file_is_refused(tmp_path):
    (tmp_path / "idea.py").write_text("mine")
    for name, message in (("idea.py", "exists already"), ("idea.txt", "is no Python file")):
        with pytest.raises(UsageError, match=message):
            write_file("my-idea", "encoder", tmp_path / name)
    assert (tmp_path / "idea.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [("Conv Mix", "encoder", "is not a valid component name"), ("conv-mix", "launcher", "no template for the kind")],
)
def test_refusals(name, kind, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        write_package(name, kind, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_an_occupied_folder_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        write_package("conv-mix", "encoder", tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["mine.txt"]
