"""Plugins that are one file: loaded, loaded again, broken, and named like something that is there."""

from __future__ import annotations

import sys
import textwrap

import pytest

from avelzoo.errors import AvelzooError, PluginError
from avelzoo.plugin.host import PluginHost
from tests.core.strangers import Stranger


@pytest.fixture
def host():
    return PluginHost(entry_points=False)


IDEA = """
    from dataclasses import dataclass
    from typing import Annotated
    from avelzoo import EncoderConfig, Help, hookimpl

    @dataclass(frozen=True, kw_only=True)
    class IdeaConfig(EncoderConfig):
        '''An idea.'''
        width: Annotated[int, Help("channels")] = 8
        def build(self, spec):
            raise AssertionError

    @hookimpl
    def avelzoo_register(zoo):
        zoo.encoder("my-idea", IdeaConfig)
"""


def test_a_single_file_is_a_plugin(host, tmp_path):
    file = tmp_path / "my_idea.py"
    file.write_text(textwrap.dedent(IDEA))
    host.add_file(file)
    entry = host.registry.get("encoder", "my-idea")
    assert entry.qualified == "my-idea/my-idea"
    assert entry.target(width=3).width == 3
    assert host.records[-1].source == f"file {file}"
    del sys.modules["avelzoo_plugin_my_idea"]


def test_a_file_that_does_not_run_is_named_with_its_line(host, tmp_path):
    file = tmp_path / "idea.py"
    file.write_text("import avelzoo\n\navelzoo.does_not_exist\n")
    with pytest.raises(PluginError, match="AttributeError") as fault:
        host.add_file(file)
    assert fault.value.where == f"{file}, line 3"
    with pytest.raises(PluginError, match="cannot read the plugin file"):
        host.add_file(tmp_path / "absent.py")


def write_idea(file, name="my-idea", width=8):
    file.write_text(textwrap.dedent(IDEA).replace("my-idea", name).replace("] = 8", f"] = {width}"))


@pytest.fixture
def forget_modules():
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("avelzoo_plugin_"):
            del sys.modules[name]


@pytest.mark.usefixtures("forget_modules")
def test_a_file_that_is_added_again_is_replaced_by_what_it_holds_now(host, tmp_path, monkeypatch):
    file = tmp_path / "idea.py"
    for width in (8, 9):  # as long as before and within a second of it: bytecode of the first must not be used
        write_idea(file, width=width)
        host.add_file(file)
        assert host.registry.get("encoder", "my-idea").target().width == width
    monkeypatch.chdir(tmp_path)
    host.add_file("idea.py")
    assert [(r.name, r.status) for r in host.records[1:]] == [("idea", "ok")]
    assert host.files == [file.resolve()]


@pytest.mark.usefixtures("forget_modules")
@pytest.mark.parametrize(
    "text",
    [
        "raise SystemExit('not today')",
        "import avelzoo\nraise avelzoo.RunError('not today')",
        "def not today",
        "x = '\0'",
    ],
)
def test_a_file_that_fails_when_added_again_leaves_the_earlier_one(host, tmp_path, text):
    file = tmp_path / "idea.py"
    write_idea(file)
    host.add_file(file)
    module, before = sys.modules["avelzoo_plugin_idea"], host.registry.entries()
    file.write_text(text)
    with pytest.raises(AvelzooError, match="loaded before is kept"):
        host.add_file(file)
    assert sys.modules["avelzoo_plugin_idea"] is module
    assert host.registry.entries() == before
    assert host.files == [file.resolve()]


@pytest.mark.usefixtures("forget_modules")
@pytest.mark.parametrize("name", ["avelzoo", "their_plugin", "json", "torch"])
def test_no_name_of_a_file_erases_anything(host, tmp_path, name):
    host.add(Stranger(), name="their-plugin", source="entry point x")
    before, modules = host.registry.entries(), {n: sys.modules.get(n) for n in ("avelzoo", "json", "torch")}
    file = tmp_path / f"{name}.py"
    write_idea(file)
    if name in ("json", "torch"):
        host.add_file(file)
        assert host.registry.get("encoder", "my-idea").plugin == name
    else:
        with pytest.raises(PluginError, match="is taken") as fault:
            host.add_file(file)
        assert fault.value.where == f"file {file}"
    assert set(before) <= set(host.registry.entries())
    assert {n: sys.modules.get(n) for n in modules} == modules


@pytest.mark.usefixtures("forget_modules")
def test_two_files_of_one_name_are_refused(host, tmp_path):
    (tmp_path / "other").mkdir()
    for file in (tmp_path / "idea.py", tmp_path / "other" / "idea.py", tmp_path / "other" / "IDEA.py"):
        write_idea(file)
    host.add_file(tmp_path / "idea.py")
    for file in ("idea.py", "IDEA.py"):
        with pytest.raises(PluginError, match="the plugin name 'idea' is taken"):
            host.add_file(tmp_path / "other" / file)
    assert host.files == [tmp_path / "idea.py"]
