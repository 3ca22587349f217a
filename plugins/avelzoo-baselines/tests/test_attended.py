"""AVEL 2018, PSP and CPSP give the numbers of their public code, on the modules that `run` trains."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from avelzoo import AvelzooError, official_outputs
from tests.parity import attended, fixtures

needs_fixtures = pytest.mark.skipif(
    not fixtures.FOLDER.exists(), reason="the golden descriptions are not beside the project"
)
NAMES = ("ave2018-full", "ave2018-weak", "ave2018dmrn-full", "psp-full", "psp-weak")
WRITTEN_OUT = {"ave2018": attended.avel2018, "ave2018dmrn": attended.avel2018_dmrn, "psp": attended.psp}
CASES = [(name, mode) for name in NAMES for mode in ("eval", "train0")] + [
    ("psp-full", "eval_thr0"),
    ("psp-weak", "eval_thr0"),
]


@cache
def outputs(name, mode):
    system, setting = name.split("-")
    return official_outputs(system, setting, fixtures.state_dict(name), fixtures.inputs(name), mode)


@cache
def written_out(name, mode):
    """The same values by plain operations; in training with the gradient norm of every parameter."""
    system, setting = name.split("-")
    state = {
        key: torch.tensor(value, requires_grad=mode == "train0") for key, value in fixtures.state_dict(name).items()
    }
    inputs = [torch.tensor(fixtures.inputs(name)[key]) for key in ("audio", "visual", "labels")]
    values = WRITTEN_OUT[system](state, setting, *inputs, **({"threshold": 0.0} if mode == "eval_thr0" else {}))
    if mode == "train0":
        values["loss_total"].backward()
        norms = [state[key].grad for key in fixtures.description(name)["parameters"]]
        values["grad_norm"] = torch.tensor([float("nan") if g is None else g.norm().item() for g in norms])
    return {key: value.detach() for key, value in values.items()}


@pytest.mark.parametrize(("name", "mode"), [case for case in CASES if fixtures.expected(case[0])])
def test_outputs_match_the_public_code(name, mode):
    assert fixtures.mismatches(name, mode, outputs(name, mode)) == {}


@needs_fixtures
@pytest.mark.parametrize(("name", "mode"), CASES)
def test_outputs_are_the_networks_written_out(name, mode):
    """Every array of the description, in its shape, with the numbers of an independent computation."""
    got, want = outputs(name, mode), written_out(name, mode)
    for full, shape, _ in fixtures.description(name)["outputs"]:
        prefix, short = full.split(".")
        if prefix != mode:
            continue
        assert list(got[short].shape) == shape, full
        if got[short].dtype == torch.int64:
            assert torch.equal(got[short], want[short]), full
            continue
        allowed = 1e-3 if short == "grad_norm" else 1e-4
        scale = want[short].nan_to_num().abs().max().item()
        torch.testing.assert_close(got[short], want[short], rtol=0, atol=allowed * scale, equal_nan=True, msg=full)


@needs_fixtures
@pytest.mark.parametrize("name", NAMES)
def test_filled_weights_and_inputs_are_the_descriptions(name):
    check = fixtures.description(name)["self_check"]
    total = sum(np.abs(value.astype(np.float64)).sum() for value in fixtures.state_dict(name).values())
    key = "sum_of_absolute_values_of_all_filled_entries_float64_without_aliases"
    assert total == pytest.approx(check[key], rel=1e-9)
    for key, value in check["sum_of_each_input_float64"].items():
        assert fixtures.inputs(name)[key].astype(np.float64).sum() == pytest.approx(value, rel=1e-9)


@needs_fixtures
@pytest.mark.parametrize("name", NAMES)
def test_unused_parameters_are_those_without_gradient(name):
    norms = outputs(name, "train0")["grad_norm"]
    spec = fixtures.description(name)
    idle = [key for key, norm in zip(spec["parameters"], norms, strict=True) if torch.isnan(norm)]
    assert idle == spec["parameters_without_gradient"]


@needs_fixtures
@pytest.mark.parametrize("name", NAMES)
def test_strangers_and_gaps_are_named(name):
    system, setting = name.split("-")
    state, inputs = fixtures.state_dict(name), fixtures.inputs(name)
    with pytest.raises(AvelzooError, match="does not match") as fault:
        official_outputs(system, setting, state | {"L9.weight": np.zeros((1, 1))}, inputs, "eval")
    assert "unexpected L9.weight" in fault.value.found
    del state[next(key for key in state if "affine_v." in key)]
    with pytest.raises(AvelzooError, match="not a checkpoint of"):
        official_outputs(system, setting, state, inputs, "eval")


def public_cpsp():
    """Random weights in the public layout of CPSP: PSP's fully supervised network, small, under a double branch."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(*shape, generator=generator) / max(shape[-1], 4) ** 0.5

    state = {"fa.0.weight": draw(256, 6), "fa.1.weight": draw(128, 256), "fv.0.weight": draw(256, 8)}
    state |= {"fv.1.weight": draw(128, 256), "linear_v.weight": draw(128, 8), "linear_v.bias": draw(128)}
    state |= {"attention.affine_audio.weight": draw(5, 128), "attention.affine_audio.bias": draw(5)}
    state |= {"attention.affine_video.weight": draw(5, 8), "attention.affine_video.bias": draw(5)}
    state |= {"attention.affine_v.weight": draw(4, 5), "attention.affine_g.weight": draw(4, 5)}
    state["attention.affine_h.weight"] = draw(1, 4)
    for part in ("lstm_audio", "lstm_video"):
        for end in ("l0", "l0_reverse"):
            state |= {f"lstm_a_v.{part}.weight_{kind}_{end}": draw(512, 128) for kind in ("ih", "hh")}
            state |= {f"lstm_a_v.{part}.bias_{kind}_{end}": draw(512) for kind in ("ih", "hh")}
    state |= {f"psp.{key}.weight": draw(256, 256) for key in ("v_L1", "v_L2", "v_fc", "a_L1", "a_L2", "a_fc")}
    state |= {"psp.layer_norm.weight": 1 + draw(256), "psp.layer_norm.bias": draw(256)}
    state |= {"v_classify.L1.weight": draw(64, 256), "v_classify.L2.weight": draw(3, 64), "L1.weight": draw(64, 256)}
    state |= {"a_classify.L1.weight": draw(64, 256), "a_classify.L2.weight": draw(3, 64), "L2.weight": draw(3, 64)}
    state |= {"event_classifier.0.weight": draw(1, 256), "event_classifier.0.bias": draw(1)}
    return state | {"category_classifier.0.weight": draw(3, 256), "category_classifier.0.bias": draw(3)}


@pytest.mark.parametrize("setting", ["full", "weak"])
def test_cpsp_is_the_network_written_out(setting):
    state = public_cpsp()
    generator = torch.Generator().manual_seed(1)
    audio = torch.rand(3, 10, 6, generator=generator)
    visual = torch.rand(3, 10, 2, 2, 8, generator=generator)
    prefixed = {f"module.{key}": value.double() for key, value in state.items()}
    got = official_outputs("cpsp", setting, prefixed, {"audio": audio, "visual": visual}, "eval")
    want = attended.cpsp(state, setting, audio, visual, None)
    assert want.keys() == got.keys()
    for key, value in want.items():
        torch.testing.assert_close(got[key], value, rtol=1e-4, atol=1e-5)
