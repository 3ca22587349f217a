"""Registry: registered components, their plugins, and look-up by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from avelzoo.channels import HOUSE, Channel, clash
from avelzoo.components import Supervision
from avelzoo.config import Config
from avelzoo.errors import AmbiguousNameError, PluginError, UnknownNameError, did_you_mean
from avelzoo.plugin.papers import Paper

if TYPE_CHECKING:
    from avelzoo.composition.experiment import Experiment
    from avelzoo.composition.recipe import Recipe

    RecipeFactory = Callable[[Supervision], Recipe]
    ExperimentFactory = Callable[[], Experiment]

THIS_PROCESS = "this-process"
"""Plugin name of components defined in this process, in a notebook or a script."""

_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Entry:
    """A registered component or recipe, and its origin."""

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
        """The unambiguous name, ``plugin/name``."""
        return f"{self.plugin}/{self.name}"


@dataclass(frozen=True)
class Snapshot:
    """Content of a registry at one moment."""

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
            PluginError: its plugin registers this name twice, or two different channels have one name.
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
        """Add a paper. Several plugins may add the same paper.

        Raises:
            PluginError: a different paper has the same key.
        """
        known = self.papers.get(paper.key, paper)
        if known != paper:
            raise PluginError(f"two different papers have the key '{paper.key}'", found=f"{known}; {paper}")
        self._papers.setdefault(paper.key, {})[plugin] = paper

    def snapshot(self) -> Snapshot:
        """The present content, for `restore`."""
        entries = {kind: {name: list(same) for name, same in names.items()} for kind, names in self._entries.items()}
        return Snapshot(entries, {key: dict(of_plugin) for key, of_plugin in self._papers.items()})

    def restore(self, snapshot: Snapshot) -> None:
        """Restore the content of a snapshot, which can be used once."""
        self._entries, self._papers = snapshot.entries, snapshot.papers

    def remove_plugin(self, plugin: str) -> None:
        """Remove everything a plugin registered."""
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

    def remove_entry(self, kind: str, name: str, *, plugin: str) -> None:
        """Remove one entry of a plugin, if it exists."""
        names = self._entries.get(kind, {})
        rest = [e for e in names.pop(name, []) if e.plugin != plugin]
        if rest:
            names[name] = rest

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
            UnknownNameError: no entry has this name; the nearest name is suggested.
            AmbiguousNameError: several plugins have an entry of this name.
        """
        if not isinstance(name, str):
            recipes = '; a recipe object is recipes["ead-b"]("full")' if kind == "recipe" else ""
            raise UnknownNameError(f"the {kind} is chosen by name", found=repr(name), expected=f"a text{recipes}")
        plugin, _, bare = name.rpartition("/")
        same = self._entries.get(kind, {}).get(bare, [])
        if plugin:
            same = [e for e in same if e.plugin == plugin]
        if not same:
            known = [e.qualified for e in self.entries(kind)] if plugin else self.names(kind)
            raise UnknownNameError(
                f"unknown {kind} '{name}'" + did_you_mean(name, known),
                expected=", ".join(known) or "no entry of this kind is registered",
                fix=f"`avelzoo list {kind}` lists the names, `avelzoo plugins` the plugins that failed to load",
            )
        if len(same) > 1:
            raise AmbiguousNameError(
                f"the {kind} name '{name}' exists in {len(same)} plugins",
                found=", ".join(e.qualified for e in same),
                fix=f"use the qualified name, for example '{same[0].qualified}'",
            )
        return same[0]

    def entry_of(self, config: Config) -> Entry | None:
        """The entry that registered this config's class."""
        return next((e for e in self.entries(config.kind) if e.target is type(config)), None)


def require_name(kind: str, name: str) -> None:
    """Refuse a name that is not in kebab-case.

    Raises:
        PluginError: the name is not in kebab-case.
    """
    if not (isinstance(name, str) and _KEBAB.fullmatch(name)):
        raise PluginError(
            f"the {kind} name {name!r} is not in kebab-case",
            expected="lower-case letters, digits and single hyphens, such as 'conv-mix'",
        )
