"""From a component's class to its config: the options are the keyword-only arguments of ``__init__``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import field, make_dataclass
from importlib import import_module
from typing import Any, get_type_hints

from avelzoo.config import OPTION_TYPES, Config, options, require_free_names
from avelzoo.errors import AvelzooError, PluginError, describe

CONTRACTS: dict[str, str] = {
    "dataset": "avelzoo.contracts:Dataset",
    "transform": "avelzoo.contracts:Transform",
    "encoder": "avelzoo.contracts:Encoder",
    "memory": "avelzoo.contracts:Memory",
    "head": "avelzoo.contracts:Head",
    "optimizer": "torch.optim:Optimizer",
    "schedule": "torch.optim.lr_scheduler:LRScheduler",
    "decoder": "avelzoo.contracts:Decoder",
    "launcher": "avelzoo.jobs:Launcher",
    "extractor": "avelzoo.extractors:Extractor",
}
"""Kind -> base class, ``module:class``, of its components; components of other kinds only need the factory method."""

_EXAMPLE = 'width: Annotated[int, Help("channels"), Bounds(min=1)] = 64'


def derive_config(cls: type, name: str, base: type[Config]) -> type[Config]:
    """Derive the config class of a component's class.

    The options are the keyword-only arguments of ``__init__``. Attributes and methods that the base declares in
    addition (``supervisions``, ``paper``, ``train_defaults``, ...) are copied from the class if it defines them; in
    such methods ``self`` holds the options. The factory (``build``, ``open``) creates an instance; if the class defines
    a method of that name, the factory calls it on the instance.

    Args:
        cls: the component's class.
        name: name of the component.
        base: config base class of the kind.

    Raises:
        PluginError: the class violates the contract, or ``__init__`` does not state the options.
    """
    what = f"the {base.kind} '{name}'"
    factory = _factory(base)
    _require_contract(cls, base, what, factory)
    given = list(inspect.signature(getattr(base, factory)).parameters)[1:]
    shared = {option.name for option in options(base)}
    asked = _arguments(cls, base, what, given, shared)
    own = [parameter for parameter in asked if parameter not in given and parameter not in shared]
    require_free_names(what, own, base, where=_where(cls))
    fields = [(o, *_option(cls, what, o, parameter)) for o, parameter in asked.items() if o in own]

    def make(config: Any, *args: Any, **kwargs: Any) -> Any:
        called = inspect.signature(getattr(base, factory)).bind(config, *args, **kwargs).arguments
        part = cls(**{o: called[o] if o in given else getattr(config, o) for o in asked})
        return getattr(part, factory)(*args, **kwargs) if hasattr(cls, factory) else part

    make.__name__, make.__doc__ = factory, f"An instance of {cls.__name__}."
    namespace = _declared(cls, base, {factory, *asked}) | {
        factory: make,
        "__doc__": cls.__doc__ or "",
        "__module__": cls.__module__,
        "__qualname__": f"{cls.__qualname__}.Config",
        "component": cls,
        "component_name": name,
    }
    try:
        config = make_dataclass("Config", fields, bases=(base,), namespace=namespace, frozen=True, kw_only=True)
        config.__module__, config.__qualname__ = cls.__module__, f"{cls.__qualname__}.Config"
        options(config)
        config()
    except Exception as error:
        known = error if isinstance(error, AvelzooError) else None
        raise PluginError(
            f"the options of {what} cannot be used: {describe(error)}",
            where=_where(cls),
            found=known.found if known else "",
            expected=known.expected if known else OPTION_TYPES,
            fix="give the option a default that it accepts" if known else f"for example: {_EXAMPLE}",
        ) from error
    return config


def _factory(base: type[Config]) -> str:
    """Name of the method that configs of this kind must define."""
    (name,) = getattr(base, "__abstractmethods__")  # noqa: B009 - abstract classes have the attribute, but their type does not declare it
    return str(name)


def _require_contract(cls: type, base: type[Config], what: str, factory: str) -> None:
    if not isinstance(cls, type):
        raise PluginError(f"{what} is not a class", found=repr(cls), fix="put the decorator above a class")
    contract = CONTRACTS.get(base.kind, "")
    if not contract and not hasattr(cls, factory):
        given = inspect.signature(getattr(base, factory))
        raise PluginError(f"{what} has no method `{factory}`", where=_where(cls), expected=f"def {factory}{given}")
    module, _, name = contract.partition(":")
    if module and not issubclass(cls, getattr(import_module(module), name)):
        public = f"avelzoo.{name}" if module.startswith("avelzoo") else f"{module}.{name}"
        raise PluginError(
            f"{what} is not a subclass of {public}",
            where=_where(cls),
            found=f"class {cls.__name__}({', '.join(parent.__name__ for parent in cls.__bases__)})",
            fix=f"derive it: class {cls.__name__}({public})",
        )
    if missing := sorted(getattr(cls, "__abstractmethods__", ())):
        raise PluginError(
            f"{what} has no method " + " and ".join(f"`{method}`" for method in missing),
            where=_where(cls),
            expected="; ".join(f"def {method}{inspect.signature(getattr(cls, method))}" for method in missing),
        )


def _arguments(
    cls: type, base: type[Config], what: str, given: list[str], shared: set[str]
) -> dict[str, inspect.Parameter]:
    """Parameters of ``__init__`` by name."""
    owner = next(parent for parent in cls.__mro__ if "__init__" in vars(parent))
    if owner is object or (not issubclass(owner, cls) and owner.__module__.startswith(("avelzoo.", "torch."))):
        return {}  # inherited from object: no options
    asked = dict(list(inspect.signature(owner.__init__).parameters.items())[1:])  # type: ignore[misc]
    handed = f"; {', '.join(given)} may come before it" if given else ""
    for name, parameter in asked.items():
        problem = ""
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            problem = f"'{parameter}' in __init__ of {what} does not state options"
        elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            problem = f"the argument '{name}' of {what} is positional-only"
        elif name in given or name in shared:
            continue
        elif parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            problem = f"the option '{name}' of {what} is positional"
        elif parameter.annotation is inspect.Parameter.empty:
            problem = f"the option '{name}' of {what} has no annotation"
        elif parameter.default is inspect.Parameter.empty:
            problem = f"the option '{name}' of {what} has no default"
        elif isinstance(parameter.default, list | dict | set):
            problem = f"the option '{name}' of {what} has a default that can change, {parameter.default!r}; use a tuple"
        if problem:
            raise PluginError(
                problem,
                where=_where(cls),
                found=f"def __init__{inspect.signature(owner.__init__)}",  # type: ignore[misc]
                expected=f"keyword-only options after a *{handed}",
                fix=f"for example: def __init__(self, {', '.join([*given[:1], '*'])}, {_EXAMPLE})",
            )
    return asked


def _option(cls: type, what: str, name: str, parameter: inspect.Parameter) -> tuple[Any, Any]:
    """Type and default of an option."""
    try:
        hints = get_type_hints(cls.__init__, include_extras=True)  # type: ignore[misc]
    except Exception as error:
        raise PluginError(
            f"an annotation in __init__ of {what} cannot be read: {describe(error)}",
            where=_where(cls),
            fix="import the names that it uses where the class is defined",
        ) from error
    return hints[name], field(default=parameter.default)


def _declared(cls: type, base: type[Config], taken: set[str]) -> dict[str, Any]:
    """Attributes of a class that the configs of its kind declare."""
    annotated = {name for parent in base.__mro__ for name in vars(parent).get("__annotations__", {})}
    required = annotated - {option.name for option in options(base)}  # without a value on the base
    known = {name for name in {*dir(base), *required} if not name.startswith("_")} - set(dir(Config)) - taken
    contract = {name for parent in cls.__mro__ if parent.__module__.startswith("avelzoo.") for name in vars(parent)}
    found: dict[str, Any] = {}
    for name in known:
        owner = next((parent for parent in cls.__mro__ if name in vars(parent)), None)
        if owner is None or (owner.__module__.startswith(("avelzoo.", "torch.")) and name in contract):
            continue
        value = vars(owner)[name]
        declared = inspect.getattr_static(base, name, None)
        if isinstance(declared, property) and not isinstance(value, property):
            value = property(value if callable(value) else _constant(value))
        elif inspect.isfunction(declared) and not callable(value):
            value = _constant(value)
        found[name] = value
    return found


def _constant(value: Any) -> Callable[..., Any]:
    return lambda self, *_: value


def _where(cls: type) -> str:
    code = getattr(vars(cls).get("__init__"), "__code__", None)
    return f"{code.co_filename}, line {code.co_firstlineno}" if code is not None else f"class {cls.__qualname__}"
