"""Components from one class: a decorator per kind derives the config and registers it.

In a notebook or a script it registers in this process. In a plugin's module, or a file that ``--plugin`` loads, it
registers for that plugin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from avelzoo.components import BASES
from avelzoo.plugin import defining
from avelzoo.plugin.default import define
from avelzoo.plugin.deriving import derive_config
from avelzoo.plugin.registry import require_name

T = TypeVar("T")


def decorator(kind: str) -> Callable[[str], Callable[[type[T]], type[T]]]:
    """The decorator for a kind."""

    def named(name: str) -> Callable[[type[T]], type[T]]:
        require_name(kind, name)

        def decorate(cls: type[T]) -> type[T]:
            config = derive_config(cls, name, BASES[kind])
            setattr(cls, "Config", config)  # noqa: B010 - the class may have any type
            setattr(cls, defining.MARK, (kind, name, config))
            if not defining.is_loading():
                define(kind, name, config)
            return cls

        return decorate

    named.__name__ = named.__qualname__ = kind
    named.__doc__ = f"""Register a class as the {kind} of this name.

    The keyword-only arguments of ``__init__`` are its options, each with an annotation and a default. The config is
    available as ``Config`` of the class. A second class of the same name replaces the first.

    Args:
        name: the component's name, in kebab-case.

    Raises:
        PluginError: the name is not in kebab-case, the class violates the contract of its kind, or an argument of
            ``__init__`` is not an option.
    """
    return named


dataset = decorator("dataset")
sampler = decorator("sampler")
transform = decorator("transform")
encoder = decorator("encoder")
memory = decorator("memory")
head = decorator("head")
objective = decorator("objective")
optimizer = decorator("optimizer")
schedule = decorator("schedule")
decoder = decorator("decoder")
launcher = decorator("launcher")
extractor = decorator("extractor")
format = decorator("format")  # noqa: A001 - decorators are named like their kinds
