from __future__ import annotations

import pytest

from avelzoo.cli.plugin_files import load_plugins
from avelzoo.errors import PluginError, UsageError
from avelzoo.plugin.default import default_host

IDEA = '''
from avelzoo import MeanPoolConfig, hookimpl

class InlineConfig(MeanPoolConfig):
    """An idea."""

@hookimpl
def avelzoo_register(zoo):
    zoo.encoder("inline-idea", InlineConfig)
'''


def test_a_file_is_loaded_and_the_rest_is_left(tmp_path):
    file = tmp_path / "inline_idea.py"
    file.write_text(IDEA)
    try:
        assert load_plugins(["--plugin", str(file), "run", "ead-b", "--set", "x=1"]) == ["run", "ead-b", "--set", "x=1"]
        assert default_host().registry.get("encoder", "inline-idea").plugin == "inline-idea"
    finally:
        default_host().remove("inline-idea")


def test_faults():
    with pytest.raises(UsageError, match="--plugin needs a file"):
        load_plugins(["run", "--plugin"])
    with pytest.raises(PluginError, match="cannot read the plugin file"):
        load_plugins(["--plugin=absent.py"])
