"""From a checkpoint to a run folder: what is taken, what is said of it, what is refused with nothing written."""

from __future__ import annotations

import argparse
import json
from collections import OrderedDict

import numpy as np
import pytest
import torch

from avelzoo import load_run, official_outputs
from avelzoo.builtin.encoders.configs import MeanPoolConfig
from avelzoo.builtin.ge2023.recipes import ead_b
from avelzoo.cli import main
from avelzoo.composition.building import build
from avelzoo.errors import AvelzooError, RunError, UsageError
from avelzoo.published import importing
from avelzoo.published.importing import import_checkpoint
from avelzoo.published.official import OfficialSystem, fitted, load_renamed
from avelzoo.records import FeatureSpec

SPEC = FeatureSpec(segments=10, audio_dim=3, grid=(1, 1), visual_dim=4, categories=("a", "b"))
NEEDED = "encoder.audio.0.weight"


class Small(OfficialSystem):
    """A system whose public names are avelzoo's own; its width is read off the checkpoint."""

    settings = ("full",)

    def recipe(self, setting, state):
        from dataclasses import replace

        if NEEDED not in state:
            raise RunError("this is not a checkpoint of small's public code", found=", ".join(list(state)[:2]))
        recipe = ead_b("full")
        width = state[NEEDED].shape[0]
        return replace(recipe, encoder=MeanPoolConfig(width=width), memory=replace(recipe.memory, size=1))

    def spec(self, setting, state):
        return SPEC

    def load(self, setting, state):
        model = build(self.recipe(setting, state), SPEC)
        load_renamed(model, state, origin="small (full)")
        return model

    def outputs(self, setting, state, inputs, mode):
        return {"weight": self.load(setting, state).state_dict()[NEEDED], "random": torch.rand(1)}


@pytest.fixture
def small(monkeypatch, tmp_path):
    """The weights of the system, which is found under any name."""
    monkeypatch.setattr(importing, "official_system", lambda *_: Small())
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    recipe = Small().recipe("full", {NEEDED: torch.zeros(6, 3)})
    return OrderedDict(build(recipe, SPEC).state_dict())


def named(state, prefix):
    return OrderedDict((prefix + name, value) for name, value in state.items())


def weights(folder):
    return load_run(folder).model.state_dict()


WRAPPED = {
    "bare": (lambda s: s, "", ""),
    "net": (lambda s: {"net": s, "args": argparse.Namespace(lr=1), "best": np.float64(3)}, "net", ""),
    "two deep": (lambda s: {"checkpoint": {"model_state_dict": s}}, "checkpoint.model_state_dict", ""),
    "data parallel": (lambda s: named(s, "module."), "", "module."),
    "twice": (lambda s: {"state_dict": named(s, "module.module.")}, "state_dict", "module.module."),
    "compiled": (lambda s: named(s, "_orig_mod."), "", "_orig_mod."),
    "many": (lambda s: named(s, "module._orig_mod.model."), "", "_orig_mod.module.model."),
    "strange": (lambda s: named(s, "my.own."), "", "my.own."),
    "averaged": (lambda s: named(s, "module.") | {"n_averaged": torch.tensor(3)}, "", "module."),
    "with a loss": (lambda s: named(s, "model.") | {"loss.weight": torch.ones(2)}, "", "model."),
}


@pytest.mark.parametrize("how", WRAPPED)
def test_wrappers_come_off_and_are_named(small, tmp_path, how):
    wrap, key, prefix = WRAPPED[how]
    torch.save(wrap(small), tmp_path / "x.pt")
    made = import_checkpoint("small", tmp_path / "x.pt", out="mine")
    assert (made.key, made.prefix, made.entries) == (key, prefix, len(small))
    assert bool(made.not_taken) == (how in ("averaged", "with a loss"))
    got = weights("mine")
    assert got.keys() == small.keys()
    assert all(torch.equal(got[name], value) for name, value in small.items())
    record = json.loads((tmp_path / "mine" / "composition.json").read_text())
    assert record["imported"] == {name: getattr(made, name) for name in record["imported"]}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_number_formats_are_rounded_and_it_is_said(small, tmp_path, dtype, capsys):
    other = {name: value.to(dtype) if value.is_floating_point() else value for name, value in small.items()}
    torch.save(other, tmp_path / "x.pt")
    assert main(["import-checkpoint", "small", "x.pt", "--out", "mine"]) == 0
    said = capsys.readouterr().out
    count = sum(value.is_floating_point() for value in small.values())
    assert f"{count} entries from {str(dtype).removeprefix('torch.')} to float32" in said
    got = weights("mine")
    assert all(torch.equal(got[name], value.float()) for name, value in other.items() if value.is_floating_point())


def test_what_is_said_on_the_terminal_and_as_json(small, tmp_path, capsys):
    settings = argparse.Namespace(lr=1)
    torch.save({"model": named(small, "module."), "ema": {"x": torch.ones(1)}, "args": settings}, tmp_path / "x.pt")
    assert main(["import-checkpoint", "small", "x.pt", "--out", "a"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for part in ("found under 'model'", "names without 'module.'", "not taken ema", "kept inert argparse.Namespace"):
        assert part in said
    assert main(["import-checkpoint", "small", "x.pt", "--out", "b", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["key"], told["prefix"], told["not_taken"]) == ("model", "module.", ["ema"])
    assert told["inert"] == ["argparse.Namespace"]


def spoiled(state, value, dtype=None):
    changed = OrderedDict((name, tensor.clone()) for name, tensor in state.items())
    changed[NEEDED] = changed[NEEDED].to(dtype or torch.float32)
    changed[NEEDED][0, 0] = value
    return changed


REFUSED = {
    "nan": (lambda s: spoiled(s, float("nan")), "not finite", NEEDED),
    "infinite": (lambda s: spoiled(s, float("inf")), "not finite", NEEDED),
    "too large": (lambda s: spoiled(s, 1e300, torch.float64), "too large for float32", NEEDED),
    "complex": (lambda s: s | {NEEDED: s[NEEDED] + 0j}, "complex numbers", NEEDED),
    "sparse": (lambda s: s | {NEEDED: s[NEEDED].to_sparse()}, "is sparse", NEEDED),
    "meta": (lambda s: s | {NEEDED: s[NEEDED].to("meta")}, "on the device 'meta'", NEEDED),
    "integers": (lambda s: s | {NEEDED: s[NEEDED].long()}, "does not match", f"{NEEDED} holds torch.int64"),
    "one missing": (lambda s: dict(list(named(s, "module.").items())[:-1]), "does not match", "missing"),
    "one more": (lambda s: s | {"more": torch.ones(1)}, "does not match", "unexpected more"),
    "another shape": (lambda s: s | {NEEDED: torch.ones(6, 9)}, "does not match", "(6, 9)"),
    "no shape": (lambda s: s | {NEEDED: torch.ones(())}, "do not have the expected shapes", "IndexError"),
    "no width": (lambda s: s | {NEEDED: torch.ones(0, 3)}, "'encoder.width' does not accept 0", "0"),
    "another system": (lambda s: {"module.conv.weight": torch.ones(1)}, "not a checkpoint of small", "conv"),
    "no weights": (lambda s: {"epoch": 3}, "not a state dict", "epoch"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_cannot_be_used_is_refused_and_nothing_is_written(small, tmp_path, how):
    spoil, said, found = REFUSED[how]
    torch.save(spoil(small), tmp_path / "x.pt")
    with pytest.raises(AvelzooError, match=said) as fault:
        import_checkpoint("small", tmp_path / "x.pt", out="mine")
    assert found in fault.value.found
    assert str(tmp_path / "x.pt") in fault.value.where
    assert not (tmp_path / "mine").exists()


def test_infinite_values_that_the_model_does_not_use_are_no_matter(small, tmp_path):
    """Masks hold them, and a system may leave entries out."""
    torch.save(named(small, "model.") | {"mask": torch.tensor([0.0, -float("inf")])}, tmp_path / "x.pt")
    made = import_checkpoint("small", tmp_path / "x.pt", out="mine")
    assert made.not_taken == ("1 without 'model.'",)


def test_the_callers_state_changes_nothing(small, tmp_path):
    torch.save(named(small, "module."), tmp_path / "x.pt")
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(3)
        with torch.inference_mode(), torch.device("meta"):
            import_checkpoint("small", tmp_path / "x.pt", out="mine")
            got = official_outputs_of(named(small, "module."))
        assert torch.get_default_dtype() is torch.float64
        after = torch.rand(2)
        torch.manual_seed(3)
        assert torch.equal(torch.rand(2), after)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(got["weight"], small[NEEDED])
    assert all(torch.equal(value, small[name]) for name, value in weights("mine").items())


def official_outputs_of(state):
    from avelzoo.published import official as interop

    found = interop.official_code
    interop.official_code = lambda *_: Small()
    try:
        return official_outputs("small", "full", state, {}, "eval")
    finally:
        interop.official_code = found


def test_a_key_chooses_the_weights(small, tmp_path):
    torch.save({"model": {"x": torch.ones(1)}, "ema": small}, tmp_path / "x.pt")
    with pytest.raises(RunError, match="not a checkpoint of small") as fault:
        import_checkpoint("small", tmp_path / "x.pt", out="mine")
    assert fault.value.where == f"{tmp_path / 'x.pt'}, entry 'model'"
    assert import_checkpoint("small", tmp_path / "x.pt", out="mine", key="ema").not_taken == ("model",)
    with pytest.raises(UsageError, match="no weights under 'emma'"):
        import_checkpoint("small", tmp_path / "x.pt", out="other", key="emma")


def test_a_first_fit_is_taken_and_the_best_known_fault_told():
    def make(state):
        if set(state) != {"a"}:
            raise RunError("no", found=", ".join(state))
        return "made"

    assert fitted({"module.model.a": torch.ones(1)}, make).prefix == "module.model."
    with pytest.raises(RunError) as fault:
        fitted({"module.b.w": torch.ones(1), "module.b.v": torch.ones(1)}, make)
    assert fault.value.found == "b.w, b.v"
    with pytest.raises(RunError):
        fitted({}, make)
