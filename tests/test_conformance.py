"""Every registered component keeps its kind's promises."""

from __future__ import annotations

import pytest

from avelzoo.builtin.datasets.configs import AveConfig, NamedScoresConfig
from avelzoo.components import BASES
from avelzoo.extractors import ExtractorConfig
from avelzoo.plugin.default import default_host
from avelzoo.testing import checks_for, narrow, parametrize_with_checks
from avelzoo.weights.store import WeightStore


def elsewhere(entry):
    """Launchers of plugins start engines of their own; their tests do so once for all checks."""
    return entry.kind == "launcher" and entry.plugin != "avelzoo"


def without_weights(entry):
    """Extractors whose published weights are not here; their own tests give them random ones."""
    store = WeightStore(offline=True)
    return issubclass(entry.target, ExtractorConfig) and any(
        store.status(file).state != "present" for file in entry.target().weights()
    )


def quick(entry):
    """The default config; an encoder with few channels, an extractor of pictures with few frames."""
    config = entry.target()
    if entry.kind == "extractor" and "frames" in config.to_dict():
        return type(config).from_dict(config.to_dict() | {"frames": 2})
    return narrow(config, 32) if entry.kind == "encoder" else config


REGISTRY = default_host().registry
FOLDERS = {AveConfig, NamedScoresConfig} | {e.target for e in REGISTRY.entries("dataset") if e.plugin == "ov-ave"}
CONFIGS = [
    quick(entry)
    for kind in BASES
    for entry in REGISTRY.entries(kind)
    if entry.target not in FOLDERS and not elsewhere(entry) and not without_weights(entry)
]


@parametrize_with_checks(CONFIGS)
def test_component(config, check):
    check(config)


@pytest.mark.parametrize("kind", BASES)
def test_no_kind_is_without_checks(kind):
    assert len(checks_for(kind)) >= 8
    assert REGISTRY.entries(kind)


def test_only_data_that_needs_a_folder_is_left_to_its_own_tests():
    everything = {
        entry.target
        for kind in BASES
        for entry in REGISTRY.entries(kind)
        if not elsewhere(entry) and not without_weights(entry)
    }
    assert everything - {type(config) for config in CONFIGS} == FOLDERS
