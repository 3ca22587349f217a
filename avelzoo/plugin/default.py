"""The default host: all installed plugins, and the components that this process defines."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from avelzoo.config import Config
from avelzoo.errors import PluginError
from avelzoo.plugin import defining
from avelzoo.plugin.host import PluginHost

_LOCK = threading.RLock()
_HOSTS: list[PluginHost | None] = []
_DEFAULT: ContextVar[PluginHost | None] = ContextVar("avelzoo_default_host", default=None)


def default_host() -> PluginHost:
    """The host with everything installed in this environment, made once per process.

    Raises:
        PluginError: a plugin asks for it while it is being loaded.

    >>> default_host() is default_host()
    True
    """
    return _DEFAULT.get() or process_host()


def process_host() -> PluginHost:
    """The default host of the process, regardless of `as_default`.

    Raises:
        PluginError: a plugin asks for it while it is being loaded.
    """
    with _LOCK:
        if not _HOSTS:
            _HOSTS.append(None)
            try:
                made = PluginHost()
                for kind, name, config in defining.defined_here():
                    if all(entry.target is not config for entry in made.registry.entries(kind)):  # an installed one
                        made.define(kind, name, config)
            finally:
                _HOSTS.clear()
            _HOSTS.append(made)
        if _HOSTS[0] is None:
            raise PluginError(
                "a plugin uses avelzoo's components while plugins are being loaded",
                fix="only import and register there; look components up when one is built",
            )
        return _HOSTS[0]


@contextmanager
def as_default(host: PluginHost) -> Iterator[None]:
    """Have `default_host` return this host inside the block, in this thread."""
    token = _DEFAULT.set(host)
    try:
        yield
    finally:
        _DEFAULT.reset(token)


def add_files(plugins: Sequence[str], host: PluginHost) -> None:
    """Load single-file plugins that are not loaded yet."""
    for file in map(Path, plugins):
        if file not in host.files:
            host.add_file(file)


def define(kind: str, name: str, config: type[Config]) -> None:
    """Register a component of this process in its default host, now or when that is made."""
    with _LOCK:
        if _HOSTS and _HOSTS[0] is not None:
            _HOSTS[0].define(kind, name, config)
        defining.remember(kind, name, config)
