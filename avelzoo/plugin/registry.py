"""Which components exist, who brought them, and how a name finds one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from avelzoo.channels import HOUSE, Channel, clash
from avelzoo.components import (
    BASES,
    DatasetConfig,
    EncoderConfig,
    HeadConfig,
    LauncherConfig,
    MemoryConfig,
    ObjectiveConfig,
    OptimizerConfig,
    SamplerConfig,
    ScheduleConfig,
    Supervision,
    TransformConfig,
    declared_by_default,
)
from avelzoo.config import Config, options
from avelzoo.errors import AmbiguousNameError, PluginError, UnknownNameError, describe, did_you_mean
from avelzoo.plugin.papers import Paper

if TYPE_CHECKING:
    from avelzoo.composition.recipe import Recipe
    from avelzoo.published.official import OfficialOutputs

    RecipeFactory = Callable[[Supervision], Recipe]

_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Entry:
    """One registered thing and where it came from."""

    kind: str
    name: str
    target: Any
    plugin: str
    distribution: str
    version: str
    summary: str
    channels: frozenset[Channel] = frozenset()

    @property
    def qualified(self) -> str:
        """The name that is never ambiguous."""
        return f"{self.plugin}/{self.name}"


@dataclass(frozen=True)
class Snapshot:
    """What a registry held at one moment."""

    entries: dict[str, dict[str, list[Entry]]]
    papers: dict[str, dict[str, Paper]]


class Registry:
    """All entries of one host."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, list[Entry]]] = {}
        self._papers: dict[str, dict[str, Paper]] = {}

    @property
    def papers(self) -> dict[str, Paper]:
        """All papers by key."""
        return {key: next(iter(of_plugin.values())) for key, of_plugin in self._papers.items()}

    @property
    def channels(self) -> dict[str, Channel]:
        """The channels that this library and registered components declare, by name."""
        return HOUSE | {c.name: c for entry in self.entries() for c in entry.channels}

    def add(self, entry: Entry) -> None:
        """Add an entry. Clashes within a plugin are errors; across plugins they make the bare name ambiguous.

        Raises:
            PluginError: its plugin registers this name a second time, or a channel of it has the name of another one.
        """
        if entry.channels and (found := clash(entry.channels, self.channels)):
            raise PluginError("two different channels have one name", where=entry.qualified, found=found)
        same = self._entries.setdefault(entry.kind, {}).setdefault(entry.name, [])
        if any(e.plugin == entry.plugin for e in same):
            raise PluginError(
                f"plugin '{entry.plugin}' registers the {entry.kind} '{entry.name}' twice",
                fix="give one of the two another name",
            )
        same.append(entry)

    def add_paper(self, paper: Paper, *, plugin: str) -> None:
        """Add a paper. Several plugins may bring the same one.

        Raises:
            PluginError: another paper has its key.
        """
        known = self.papers.get(paper.key, paper)
        if known != paper:
            raise PluginError(f"two different papers have the key '{paper.key}'", found=f"{known}; {paper}")
        self._papers.setdefault(paper.key, {})[plugin] = paper

    def snapshot(self) -> Snapshot:
        """Everything that is registered now, for `restore`."""
        entries = {kind: {name: list(same) for name, same in names.items()} for kind, names in self._entries.items()}
        return Snapshot(entries, {key: dict(of_plugin) for key, of_plugin in self._papers.items()})

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to what was registered at a snapshot, which can be used once."""
        self._entries, self._papers = snapshot.entries, snapshot.papers

    def remove_plugin(self, plugin: str) -> None:
        """Forget everything a plugin registered."""
        self._papers = {
            key: rest
            for key, of_plugin in self._papers.items()
            if (rest := {name: paper for name, paper in of_plugin.items() if name != plugin})
        }
        for names in self._entries.values():
            for name in list(names):
                names[name] = [e for e in names[name] if e.plugin != plugin]
                if not names[name]:
                    del names[name]

    def entries(self, kind: str | None = None) -> list[Entry]:
        """All entries, or all of a kind, by kind and name."""
        kinds = sorted(self._entries) if kind is None else [kind]
        return [e for k in kinds for _, same in sorted(self._entries.get(k, {}).items()) for e in same]

    def names(self, kind: str) -> list[str]:
        """Bare names of a kind."""
        return sorted(self._entries.get(kind, {}))

    def get(self, kind: str, name: str) -> Entry:
        """The entry with this bare or qualified name.

        Raises:
            UnknownNameError: nothing has this name; the nearest one is suggested.
            AmbiguousNameError: several plugins have it.
        """
        plugin, _, bare = name.rpartition("/")
        same = self._entries.get(kind, {}).get(bare, [])
        if plugin:
            same = [e for e in same if e.plugin == plugin]
        if not same:
            known = [e.qualified for e in self.entries(kind)] if plugin else self.names(kind)
            raise UnknownNameError(
                f"unknown {kind} '{name}'" + did_you_mean(name, known),
                expected=", ".join(known) or "nothing of this kind is registered",
                fix=f"`avelzoo list {kind}` shows what there is, `avelzoo plugins` whether a plugin failed to load",
            )
        if len(same) > 1:
            raise AmbiguousNameError(
                f"the {kind} name '{name}' is offered by {len(same)} plugins",
                found=", ".join(e.qualified for e in same),
                fix=f"write the qualified name, for example '{same[0].qualified}'",
            )
        return same[0]

    def entry_of(self, config: Config) -> Entry | None:
        """The entry that registered this config's class."""
        return next((e for e in self.entries(config.kind) if e.target is type(config)), None)


class Registrar:
    """What a plugin receives: one typed method per kind. Entries carry the plugin's name, distribution and version."""

    def __init__(self, registry: Registry, *, plugin: str, distribution: str, version: str) -> None:
        self._registry = registry
        self._plugin = plugin
        self._distribution = distribution
        self._version = version
        self._open = True

    def dataset(self, name: str, config: type[DatasetConfig]) -> None:
        """Offer a data set.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                DatasetConfig.
        """
        self._component("dataset", name, config)

    def encoder(self, name: str, config: type[EncoderConfig]) -> None:
        """Offer an encoder.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                EncoderConfig.
        """
        self._component("encoder", name, config)

    def memory(self, name: str, config: type[MemoryConfig]) -> None:
        """Offer a memory strategy.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                MemoryConfig.
        """
        self._component("memory", name, config)

    def head(self, name: str, config: type[HeadConfig]) -> None:
        """Offer a branch head.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                HeadConfig.
        """
        self._component("head", name, config)

    def objective(self, name: str, config: type[ObjectiveConfig]) -> None:
        """Offer an objective.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                ObjectiveConfig.
        """
        self._component("objective", name, config)

    def sampler(self, name: str, config: type[SamplerConfig]) -> None:
        """Offer a sampler: which training videos an epoch takes, in which order.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                SamplerConfig.
        """
        self._component("sampler", name, config)

    def transform(self, name: str, config: type[TransformConfig]) -> None:
        """Offer a transform: augmentation of training batches.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                TransformConfig.
        """
        self._component("transform", name, config)

    def optimizer(self, name: str, config: type[OptimizerConfig]) -> None:
        """Offer an optimizer.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                OptimizerConfig.
        """
        self._component("optimizer", name, config)

    def schedule(self, name: str, config: type[ScheduleConfig]) -> None:
        """Offer a schedule: the learning rate over epochs.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                ScheduleConfig.
        """
        self._component("schedule", name, config)

    def launcher(self, name: str, config: type[LauncherConfig]) -> None:
        """Offer a launcher: a place where jobs run.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                LauncherConfig.
        """
        self._component("launcher", name, config)

    def recipe(self, name: str, factory: RecipeFactory) -> None:
        """Offer a recipe: a function of the supervision that returns a `Recipe`.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``factory`` is not callable.
        """
        if not callable(factory):
            raise PluginError(f"recipe '{name}' is not a function of the supervision", found=repr(factory))
        self._add("recipe", name, factory)

    def paper(self, paper: Paper) -> None:
        """Add a citation; components and recipes refer to it by its key.

        Raises:
            PluginError: ``paper`` is no `Paper`, or another paper has its key.
        """
        self._require_open()
        if not isinstance(paper, Paper):
            raise PluginError("a paper is not described by an avelzoo.Paper", found=repr(paper))
        self._registry.add_paper(paper, plugin=self._plugin)

    def official(self, name: str, system: type[OfficialOutputs]) -> None:
        """Offer the reading of a published system's checkpoints and outputs (see `avelzoo.published.official`).

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``system`` is no `OfficialOutputs`.
        """
        told = [getattr(system, name, None) for name in ("settings", "checkpoints")]
        if not (isinstance(system, type) and all(isinstance(values, tuple) for values in told)):
            raise PluginError(
                f"the official system '{name}' is not described by an OfficialSystem",
                found=repr(system),
                expected="a subclass of avelzoo.OfficialSystem with its `settings`",
            )
        self._add("official", name, system)

    def close(self) -> None:
        """End the registration: whatever the plugin kept of this object registers nothing any more."""
        self._open = False

    def _require_open(self) -> None:
        if not self._open:
            raise PluginError(
                f"plugin '{self._plugin}' registers something after its registration",
                fix="register everything inside avelzoo_register",
            )

    def _component(self, kind: str, name: str, config: type[Config]) -> None:
        base = BASES[kind]
        if not (isinstance(config, type) and issubclass(config, base)):
            raise PluginError(
                f"the {kind} '{name}' is not described by a {base.__name__}",
                found=repr(config),
                expected=f"a subclass of avelzoo.{base.__name__}",
                fix="pass the config class itself, not an instance or a module",
            )
        try:
            options(config)
        except Exception as error:
            raise PluginError(f"the options of the {kind} '{name}' cannot be read: {describe(error)}") from error
        self._add(kind, name, config, declared_by_default(config))

    def _add(self, kind: str, name: str, target: Any, channels: frozenset[Channel] = frozenset()) -> None:
        self._require_open()
        if not (isinstance(name, str) and _KEBAB.fullmatch(name)):
            raise PluginError(
                f"the {kind} name {name!r} is not in kebab-case",
                expected="lower-case letters, digits and single hyphens, such as 'conv-mix'",
            )
        doc = inspect.getdoc(target) or ""
        summary = doc.strip().splitlines()[0] if doc.strip() else ""
        entry = Entry(kind, name, target, self._plugin, self._distribution, self._version, summary, channels)
        self._registry.add(entry)
