"""The object with which a plugin registers its components and recipes."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from avelzoo.channels import Channel
from avelzoo.components import (
    BASES,
    DatasetConfig,
    DecoderConfig,
    EncoderConfig,
    HeadConfig,
    LauncherConfig,
    MemoryConfig,
    ObjectiveConfig,
    OptimizerConfig,
    SamplerConfig,
    ScheduleConfig,
    TransformConfig,
)
from avelzoo.config import Config, options, require_free_names
from avelzoo.errors import PluginError, describe
from avelzoo.extractors import ExtractorConfig
from avelzoo.formats import FormatConfig
from avelzoo.plugin.declared import declared_by_default
from avelzoo.plugin.papers import Paper
from avelzoo.plugin.registry import Entry, Registry, require_name

if TYPE_CHECKING:
    from avelzoo.plugin.registry import ExperimentFactory, RecipeFactory
    from avelzoo.published.official import OfficialOutputs


class Registrar:
    """Registers a plugin's components: one typed method per kind. Entries carry plugin, distribution and version.

    >>> @hookimpl
    ... def avelzoo_register(zoo: Registrar) -> None:
    ...     zoo.encoder("my-encoder", MeanPoolConfig)
    """

    def __init__(self, registry: Registry, *, plugin: str, distribution: str, version: str) -> None:
        self._registry = registry
        self._plugin = plugin
        self._distribution = distribution
        self._version = version
        self._open = True

    def dataset(self, name: str, config: type[DatasetConfig]) -> None:
        """Register a data set.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                DatasetConfig.
        """
        self._component("dataset", name, config)

    def encoder(self, name: str, config: type[EncoderConfig]) -> None:
        """Register an encoder.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                EncoderConfig.
        """
        self._component("encoder", name, config)

    def memory(self, name: str, config: type[MemoryConfig]) -> None:
        """Register a memory strategy.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                MemoryConfig.
        """
        self._component("memory", name, config)

    def head(self, name: str, config: type[HeadConfig]) -> None:
        """Register a branch head.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                HeadConfig.
        """
        self._component("head", name, config)

    def objective(self, name: str, config: type[ObjectiveConfig]) -> None:
        """Register an objective.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                ObjectiveConfig.
        """
        self._component("objective", name, config)

    def sampler(self, name: str, config: type[SamplerConfig]) -> None:
        """Register a sampler: which training videos an epoch takes, in which order.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                SamplerConfig.
        """
        self._component("sampler", name, config)

    def transform(self, name: str, config: type[TransformConfig]) -> None:
        """Register a transform: augmentation of training batches.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                TransformConfig.
        """
        self._component("transform", name, config)

    def optimizer(self, name: str, config: type[OptimizerConfig]) -> None:
        """Register an optimizer.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                OptimizerConfig.
        """
        self._component("optimizer", name, config)

    def schedule(self, name: str, config: type[ScheduleConfig]) -> None:
        """Register a schedule: the learning rate over epochs.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                ScheduleConfig.
        """
        self._component("schedule", name, config)

    def decoder(self, name: str, config: type[DecoderConfig]) -> None:
        """Register a decoder: the rule from scores to events.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                DecoderConfig.
        """
        self._component("decoder", name, config)

    def launcher(self, name: str, config: type[LauncherConfig]) -> None:
        """Register a launcher: a place where jobs run.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                LauncherConfig.
        """
        self._component("launcher", name, config)

    def extractor(self, name: str, config: type[ExtractorConfig]) -> None:
        """Register an extractor: features of decoded segments.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                ExtractorConfig.
        """
        self._component("extractor", name, config)

    def format(self, name: str, config: type[FormatConfig]) -> None:
        """Register a file format of localization results.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``config`` is no
                FormatConfig.
        """
        self._component("format", name, config)

    def recipe(self, name: str, factory: RecipeFactory) -> None:
        """Register a recipe: a function of the supervision that returns a `Recipe`.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``factory`` is not callable.
        """
        if not callable(factory):
            raise PluginError(f"recipe '{name}' is not a function of the supervision", found=repr(factory))
        self._add("recipe", name, factory)

    def experiment(self, name: str, factory: ExperimentFactory) -> None:
        """Register an experiment: a function without arguments that returns an `Experiment`.

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``factory`` is not callable.
        """
        if not callable(factory):
            raise PluginError(f"experiment '{name}' is not a function that returns one", found=repr(factory))
        self._add("experiment", name, factory)

    def paper(self, paper: Paper) -> None:
        """Add a citation; components and recipes refer to it by its key.

        Raises:
            PluginError: ``paper`` is no `Paper`, or another paper has its key.
        """
        self._require_open()
        if not isinstance(paper, Paper):
            raise PluginError("a paper is not described by an avelzoo.Paper", found=repr(paper))
        self._registry.add_paper(paper, plugin=self._plugin)

    def published_code(self, name: str, system: type[OfficialOutputs]) -> None:
        """Register a reader of a published system's checkpoints and outputs (see `avelzoo.published.official`).

        Raises:
            PluginError: the name is not in kebab-case or taken by this plugin, or ``system`` is no `OfficialOutputs`.
        """
        declared = [getattr(system, name, None) for name in ("settings", "checkpoints")]
        if not (isinstance(system, type) and all(isinstance(values, tuple) for values in declared)):
            raise PluginError(
                f"the published code '{name}' is not described by an OfficialSystem",
                found=repr(system),
                expected="a subclass of avelzoo.OfficialSystem with its `settings`",
            )
        self._add("published-code", name, system)

    def close(self) -> None:
        """End the registration; later calls raise an error."""
        self._open = False

    def _require_open(self) -> None:
        if not self._open:
            raise PluginError(
                f"plugin '{self._plugin}' registers a component after its registration has ended",
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
        require_free_names(f"the {kind} '{name}'", (option.name for option in options(config)), base)
        self._add(kind, name, config, declared_by_default(config))

    def _add(self, kind: str, name: str, target: Any, channels: frozenset[Channel] = frozenset()) -> None:
        self._require_open()
        require_name(kind, name)
        doc = inspect.getdoc(target) or ""
        summary = doc.strip().splitlines()[0] if doc.strip() else ""
        entry = Entry(kind, name, target, self._plugin, self._distribution, self._version, summary, channels)
        self._registry.add(entry)
