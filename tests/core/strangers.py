"""A plugin for tests of the host."""

from __future__ import annotations

from avelzoo.builtin.encoders.configs import MeanPoolConfig
from avelzoo.plugin.hookspecs import hookimpl


class Stranger:
    """A plugin with one encoder under a given name."""

    def __init__(self, name="theirs", config=MeanPoolConfig):
        self.name, self.config = name, config

    @hookimpl
    def avelzoo_register(self, zoo):
        zoo.encoder(self.name, self.config)
