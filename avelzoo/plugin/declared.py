"""Channels that a component declares."""

from __future__ import annotations

from avelzoo.channels import Channel, Need, channels_of
from avelzoo.components import ComponentConfig, ObjectiveConfig, Supervision
from avelzoo.config import Config
from avelzoo.errors import AvelzooError, PluginError


def declared_by(config: ComponentConfig, supervision: Supervision) -> frozenset[Channel]:
    """Every channel that a component gives, reads or trains from.

    Raises:
        PluginError: something else is declared.
    """
    terms = config.terms(supervision) if isinstance(config, ObjectiveConfig) else ()
    needs = (*config.reads(supervision), *(need for term in terms for need in term.needs))
    for method, declared, kind in (("gives", config.gives(supervision), Channel), ("reads", needs, Need)):
        for one in declared:
            if not isinstance(one, kind):
                raise PluginError(
                    f"`{method}` of the {config.kind} declares what is no channel",
                    where=type(config).__qualname__,
                    found=repr(one),
                    expected='a set of channels, such as {Channel("speed", "(b t)", "how fast it changes")}',
                )
    return frozenset(config.gives(supervision)) | channels_of(*needs)


def declared_by_default(config: type[Config]) -> frozenset[Channel]:
    """Channels of a config with its defaults under all supervisions; empty for configs with required options."""
    try:
        made = config()
    except (TypeError, AvelzooError):
        return frozenset()
    if not isinstance(made, ComponentConfig):
        return frozenset()
    return frozenset(channel for supervision in made.supervisions for channel in declared_by(made, supervision))
