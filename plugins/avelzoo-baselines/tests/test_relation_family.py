"""CMRAN, CMBS and CACE-Net against a literal transcription of their description, on the public state dicts."""

from __future__ import annotations

import json
import math

import naive_relation as naive
import numpy as np
import pytest
import torch

from avelzoo import RunError, UsageError, official_outputs
from tests.parity import fixtures

pytestmark = pytest.mark.skipif(not fixtures.FOLDER.exists(), reason="the golden outputs are not beside the project")

SETTINGS = ["cmran-full", "cmran-weak", "cmbs-full", "cmbs-weak"]
NAIVE = {"cmran": naive.cmran, "cmbs": naive.cmbs}
LOSSES_OF_GATES = {"cmbs-full"}


def close(got, want, name):
    got, want = got.detach().double(), want.detach().double()
    assert got.shape == want.shape, f"{name} is {tuple(got.shape)}, not {tuple(want.shape)}"
    assert float((got - want).abs().max()) <= 1e-4 * float(want.abs().max()), name


def tensors(values, *, gradients=False):
    return {key: torch.as_tensor(value).clone().requires_grad_(gradients) for key, value in values.items()}


def cace_state():
    """CMBS's layout without its idle norms, a narrower decoder, and what CACE-Net adds."""
    shapes = {}
    for key, shape, _ in fixtures.description("cmbs-full")["state_dict"]:
        if key.startswith(("video_norm", "audio_norm")):
            continue
        sizes = [512 if "_decoder." in key and ".linear" in key and size == 1024 else size for size in shape]
        shapes[key.replace("spatial_channel_att.norm.", "spatial_channel_att.v_norm.")] = sizes
    layers = {
        f"video_{part}2": size for part, size in (("query", (128, 512)), ("key", (128, 512)), ("value", (512, 512)))
    }
    layers |= {"v_query": (128, 512)} | dict.fromkeys(("vaudio_key", "vaudio_value"), (128, 128))
    layers |= dict.fromkeys(("audio_query", "audio_key", "audio_value"), (128, 128))
    layers = {f"spatial_channel_att.{name}": size for name, size in layers.items()}
    layers |= {"a_fc": (128, 128), "localize_module.encoder_q.0": (256, 256)}
    for name, (out, into) in layers.items():
        shapes |= {f"{name}.weight": [out, into], f"{name}.bias": [out]}
    for name, width in (("v_norm2", 512), ("a_norm", 128)):
        shapes |= {f"spatial_channel_att.{name}.{part}": [width] for part in ("weight", "bias")}
    state = {}
    for key, shape in shapes.items():
        normal = "norm" in key.split(".")[-2] and key.endswith("weight")
        kind = "norm_weight" if normal else "weight" if len(shape) > 1 else "vector"
        state[key] = fixtures.fill(key, tuple(shape), kind)
    return state


@pytest.mark.parametrize("name", SETTINGS)
def test_evaluation_is_the_description(name):
    system, setting = name.split("-")
    state, inputs = fixtures.state_dict(name), tensors(fixtures.inputs(name))
    got = official_outputs(system, setting, state, inputs, "eval")
    with torch.no_grad():
        want = NAIVE[system](tensors(state), inputs["audio"], inputs["visual"], weak=setting == "weak")
    for key, value in want.items():
        close(got[key], value, key)
    if setting == "full":
        relevance, scores = want["is_event_scores"].squeeze(-1).T, want["event_scores"]
    else:
        relevance, scores = want.get("av_gate", want.get("is_event_scores")), want["raw_logits"]
    pred = [[int(scores[b].argmax()) if 1 / (1 + math.exp(-r)) > 0.5 else 28 for r in relevance[b]] for b in range(3)]
    assert got["pred"].tolist() == pred


@pytest.mark.parametrize("name", SETTINGS)
def test_training_step_is_the_description(name):
    system, setting = name.split("-")
    spec, inputs = fixtures.description(name), tensors(fixtures.inputs(name))
    got = official_outputs(system, setting, fixtures.state_dict(name), inputs, "train0")
    state = tensors(fixtures.state_dict(name), gradients=True)
    want = NAIVE[system](state, inputs["audio"], inputs["visual"], weak=setting == "weak")
    if setting == "weak":
        losses = naive.video_loss(want, inputs["labels"])
    else:
        losses = naive.event_losses(want, inputs["labels"], gated=name in LOSSES_OF_GATES)
    for key, value in losses.items():
        close(got[key], value, key)
    losses["loss_total"].backward()
    norms = np.array(
        [np.nan if state[key].grad is None else float(state[key].grad.norm()) for key in spec["parameters"]]
    )
    mine = got["grad_norm"].double().numpy()
    assert [key for key, x in zip(spec["parameters"], mine, strict=True) if np.isnan(x)] == spec[
        "parameters_without_gradient"
    ]
    np.testing.assert_allclose(mine, norms, rtol=1e-3, atol=1e-6 * np.nanmax(norms))


def test_cace_net_is_the_description():
    state, inputs = cace_state(), tensors(fixtures.inputs("cmbs-full"))
    assert len(state) == 242
    assert sum(value.size for value in state.values()) == 13_118_681
    got = official_outputs(
        "cacenet", "full", {f"module.{k}": v.astype(np.float64) for k, v in state.items()}, inputs, "eval"
    )
    with torch.no_grad():
        want = naive.cace_net(tensors(state), inputs["audio"], inputs["visual"])
    for key, value in want.items():
        close(got[key], value, key)
    trained = official_outputs("cacenet", "full", state, inputs, "train0")
    losses = naive.event_losses(want, inputs["labels"], gated=True)
    for key in ("loss_is_event", "loss_event_class", "loss_is_gate", "loss_cas"):
        close(trained[key], losses[key], key)
    close(trained["loss_total"], losses["loss_total"] + trained["loss_contrastive"], "loss_total")


@pytest.mark.parametrize(("system", "setting"), [("cmran", "full"), ("cmbs", "weak")])
def test_a_wrong_weight_is_noticed(system, setting):
    name = f"{system}-{setting}"
    state, inputs = fixtures.state_dict(name), fixtures.inputs(name)
    before = official_outputs(system, setting, state, inputs, "eval")["event_scores"]
    state["audio_decoder.decoder.layers.0.linear1.weight"] = (
        state["audio_decoder.decoder.layers.0.linear1.weight"] * 1.1
    )
    after = official_outputs(system, setting, state, inputs, "eval")["event_scores"]
    assert float((before - after).abs().max()) > 1e-4 * float(before.abs().max())


def test_unused_parameters_have_no_influence_and_may_be_absent():
    spec, inputs = fixtures.description("cmran-weak"), fixtures.inputs("cmran-weak")
    state = {k: v for k, v in fixtures.state_dict("cmran-weak").items() if k not in spec["parameters_without_gradient"]}
    got = official_outputs("cmran", "weak", state, inputs, "eval")
    want = official_outputs("cmran", "weak", fixtures.state_dict("cmran-weak"), inputs, "eval")
    assert all(torch.equal(got[key], want[key]) for key in want)


def test_wrong_checkpoints_are_refused():
    inputs = fixtures.inputs("cmran-full")
    state = fixtures.state_dict("cmran-full")
    with pytest.raises(RunError, match="not a checkpoint of cmbs"):
        official_outputs("cmbs", "full", state, inputs, "eval")
    with pytest.raises(UsageError, match="no mode 'train1'"):
        official_outputs("cmran", "full", state, inputs, "train1")
    with pytest.raises(UsageError, match="no setting 'weak'"):
        official_outputs("cacenet", "weak", state, inputs, "eval")
    state["surprise.weight"] = np.zeros((2, 2), np.float32)
    del state["AVInter.norm1.bias"]
    with pytest.raises(RunError) as fault:
        official_outputs("cmran", "full", state, inputs, "eval")
    assert "unexpected surprise.weight" in fault.value.found
    assert "missing encoder.fusion.norm.bias" in fault.value.found


def test_the_fill_rule_is_the_fixtures_own():
    for name in SETTINGS:
        check = fixtures.description(name)["self_check"]
        total = sum(np.abs(value.astype(np.float64)).sum() for value in fixtures.state_dict(name).values())
        assert math.isclose(
            total, check["sum_of_absolute_values_of_all_filled_entries_float64_without_aliases"], rel_tol=1e-9
        )
        assert json.dumps(sorted(fixtures.modes(name))) == '["eval", "train0"]'
