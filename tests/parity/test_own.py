"""The fixtures that ship with the repository: their values are the naive code's, and a wrong model is noticed."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from tests.parity import fixtures
from tests.parity.own import write

NAMES = sorted(write.FIXTURES)


def test_both_are_compared() -> None:
    assert set(NAMES) <= set(fixtures.names())
    assert [fixtures.modes(name) for name in NAMES] == [["eval", "train0"]] * 2


@pytest.mark.parametrize("name", NAMES)
def test_stored_values_are_what_the_naive_code_computes(name: str) -> None:
    stored = fixtures.description(name)
    assert {key: value for key, value in stored.items() if key != "outputs"} == write.description(name)
    computed = write.computed(name)
    assert [(key, list(value.shape)) for key, value in computed.items()] == [(k, s) for k, s, _ in stored["outputs"]]
    for key, value in computed.items():
        np.testing.assert_allclose(fixtures.expected(name)[key], value, rtol=1e-5, atol=1e-7, err_msg=key)


@pytest.mark.skipif(not find_spec("avelzoo_baselines"), reason="needs the plugin")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", ["eval", "train0"])
def test_every_weight_matters(name: str, mode: str) -> None:
    """A model that ignored one would be noticed by some fixture: the mismatch is reported for each."""
    training_only = ("audio_classifier", "video_classifier", "final_")
    # A bias of all keys, or of all scores, has no effect: the softmax cancels it.
    shifts = ("in_proj_bias", "affine_v_s_att.bias")
    state = fixtures.state_dict(name)
    keys = [key for key in fixtures.description(name)["parameters"] if not key.endswith(shifts)]
    if mode == "eval":
        keys = [key for key in keys if not key.startswith(training_only)]
    for key in keys[::7]:
        changed = state | {key: state[key] + np.float32(0.3) * fixtures.draw(f"change:{key}", state[key].shape)}
        assert fixtures.mismatches(name, mode, fixtures.outputs(name, mode, state=changed)), key


@pytest.mark.parametrize("mode", ["eval", "train0"])
def test_nothing_hangs_by_a_thread(mode: str) -> None:
    """Choices (best segments, categories, thresholds) are far enough from tipping for float32."""
    found = fixtures.expected("ge2023-own-full")
    scores = np.sort(found[f"{mode}.evn_pred"], axis=-1)
    assert (scores[:, -1] - scores[:, -2]).min() > 1e-3
    assert np.abs(found["eval.bg_preds"] - 0.5).min() > 1e-3
    slots = found["train0.bank.cls_sc_queue"]
    assert np.abs(np.diff(slots[[2, 3, 0]], axis=1)).min() > 1e-3
    assert set(found["train0.inserted_slot"]) - {-1}, "some segment enters"
