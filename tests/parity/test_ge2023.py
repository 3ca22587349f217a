"""Every array that the public code of Ge et al. 2023 returns, from the modules that `run` trains."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from avelzoo.errors import RunError, UsageError
from avelzoo.plugin.host import PluginHost
from avelzoo.published.official import official_outputs
from tests.parity import fixtures

pytestmark = pytest.mark.skipif(not fixtures.FOLDER.exists(), reason="the golden outputs are not beside the project")

CASES = [
    ("ge2023", setting, mode)
    for setting, modes in {
        "full": ("eval", "train0", "train0_repeat", "train0_cold"),
        "weak": ("eval", "train0", "train0_repeat", "train0_mil", "train0_cold", "train0_bgvideo"),
    }.items()
    for mode in modes
]


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return PluginHost(entry_points=False)


@pytest.mark.parametrize(("system", "setting", "mode"), CASES)
def test_outputs_match_the_public_code(host, system, setting, mode):
    name = f"{system}-{setting}"
    assert {mode for s, g, mode in CASES if g == setting} == set(fixtures.modes(name))
    got = official_outputs(system, setting, fixtures.state_dict(name), fixtures.inputs(name), mode, host=host)
    assert fixtures.mismatches(name, mode, got) == {}


def test_the_fill_rule_is_the_fixtures_own():
    check = fixtures.description("ge2023-full")["self_check"]
    state = fixtures.state_dict("ge2023-full")
    for key, values in check["first_three_values_of_one_key_of_each_kind"].values():
        np.testing.assert_allclose(state[key].ravel()[:3], values, rtol=1e-6)


def test_a_wrong_weight_is_noticed(host):
    state = fixtures.state_dict("ge2023-full")
    state["fusion_layer.layers.0.weight"] = state["fusion_layer.layers.0.weight"] * 1.01
    got = official_outputs("ge2023", "full", state, fixtures.inputs("ge2023-full"), "eval", host=host)
    assert "fused_feats" in fixtures.mismatches("ge2023-full", "eval", got)


def test_data_parallel_prefix_is_accepted(host):
    state = {f"module.{key}": value for key, value in fixtures.state_dict("ge2023-full").items()}
    got = official_outputs("ge2023", "full", state, fixtures.inputs("ge2023-full"), "eval", host=host)
    assert fixtures.mismatches("ge2023-full", "eval", got) == {}


def test_missing_and_misshapen_entries_are_named(host):
    state = fixtures.state_dict("ge2023-full")
    del state["fusion_layer.ln2.bias"]
    state["audio_classifier.bias"] = np.zeros(3, np.float32)
    with pytest.raises(RunError) as fault:
        official_outputs("ge2023", "full", state, fixtures.inputs("ge2023-full"), "eval", host=host)
    assert "encoder.fusion.norm.bias" in fault.value.found
    assert "memory.classifiers.audio.bias is (3,), not (28,)" in fault.value.found


def test_unknown_requests_are_refused(host):
    state, inputs = fixtures.state_dict("ge2023-full"), fixtures.inputs("ge2023-full")
    with pytest.raises(UsageError, match="no mode 'train9'"):
        official_outputs("ge2023", "full", state, inputs, "train9", host=host)
    with pytest.raises(UsageError, match="no setting 'half'"):
        official_outputs("ge2023", "half", state, inputs, "eval", host=host)
    with pytest.raises(UsageError, match="did you mean 'ge2023'"):
        official_outputs("ge2032", "full", state, inputs, "eval", host=host)
    with pytest.raises(RunError, match="not a checkpoint of ge2023"):
        official_outputs("ge2023", "full", {"a": torch.zeros(1)}, inputs, "eval", host=host)
