"""Which loss terms train is known before training, said, and refused where it is not what was asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import torch

from avelzoo import FeatureSpec, GivenScoresConfig, JointScoresConfig, build, run
from avelzoo.cli import main
from avelzoo.cli.catalogue import recipes_of
from avelzoo.composition.checking import check
from avelzoo.composition.overrides import Override
from avelzoo.composition.resolving import resolve
from avelzoo.composition.terms import loss_terms
from avelzoo.errors import CompositionError
from avelzoo.plugin.default import default_host
from avelzoo.testing import narrow, random_batch, random_targets
from avelzoo.testing.harness import require_declared_terms

REGISTRY = default_host().registry
SPEC = FeatureSpec(segments=4, audio_dim=5, grid=(2, 2), visual_dim=6, categories=("bark", "bell", "horn"))
RECIPES = [(entry.name, supervision) for entry in REGISTRY.entries("recipe") for supervision in recipes_of(entry)]
OBJECTIVES = [
    (entry, supervision)
    for entry in REGISTRY.entries("objective")
    for supervision in entry.target.supervisions
    if any(term.own for term in entry.target().terms(supervision))
]
TINY = ("--epochs=1", "--limit-batches=1", "--set=dataset.train_videos=16", "--set=train.batch_size=8")


def trained(recipe):
    return {state.name for state in loss_terms(recipe) if state.trains}


@pytest.mark.parametrize(("name", "supervision"), RECIPES)
def test_a_recipe_trains_the_terms_it_declares(name, supervision):
    recipe = REGISTRY.get("recipe", name).target(supervision)
    recipe = replace(recipe, encoder=narrow(recipe.encoder))
    check(recipe, REGISTRY)
    torch.manual_seed(0)
    model = build(recipe, SPEC).train()
    step = model(random_batch(SPEC, 3), random_targets(SPEC, 3, weak=supervision == "weak", negatives=1))
    require_declared_terms(recipe, model, step)


@pytest.mark.parametrize(("name", "supervision"), RECIPES)
def test_no_recipe_states_an_own_term_without_input(name, supervision):
    recipe = REGISTRY.get("recipe", name).target(supervision)
    own = {term.name for term in recipe.objective.terms(supervision) if term.own and term.weight > 0}
    assert own <= trained(recipe)


@pytest.mark.parametrize(("entry", "supervision"), OBJECTIVES, ids=lambda value: getattr(value, "name", value))
def test_an_objective_without_the_input_of_its_own_terms_is_refused(entry, supervision):
    """Beside st-fusion, no memory and the double branch, which give none of it."""
    found = resolve(REGISTRY, "double-branch", supervision=supervision, choices={"objective": entry.name})
    lacking = [str(term.needs[0]) for term in entry.target().terms(supervision) if term.own and term.weight > 0]
    with pytest.raises(CompositionError) as fault:
        check(found.recipe, REGISTRY, found.sources)
    assert any(need in fault.value.problem for need in lacking)
    assert "--objective general" in fault.value.fix


def test_own_terms_are_declared_by_every_system_with_a_loss_of_its_own():
    systems = {"avel2018", "cace-net", "cmbs", "cpsp", "event-gate", "psp", "span", "video"}
    assert {entry.name for entry, _ in OBJECTIVES} >= systems


def test_swapped_parts_leave_a_recipes_own_term_out_and_the_reason_is_said():
    found = resolve(REGISTRY, "psp", choices={"encoder": "st-fusion"})
    check(found.recipe, REGISTRY, found.sources)
    states = {state.name: state for state in loss_terms(found.recipe)}
    assert not states["pair"].trains
    assert states["pair"].reason == "needs pair_similarity"
    assert trained(found.recipe) == {"segment"}
    assert trained(resolve(REGISTRY, "psp").recipe) == {"segment", "pair"}


@pytest.mark.parametrize(
    ("recipe", "choices", "option"),
    [
        ("psp", {"encoder": "st-fusion"}, "objective.pair=50"),
        ("psp", {"encoder": "st-fusion"}, "objective.pair_targets=stale"),
        ("single-branch", {}, "objective.prototype=0.2"),
        ("double-branch", {}, "objective.contrastive_mean=parts"),
        ("avel2018-official", {"head": "double"}, "objective.segment_loss=soft-margin"),
    ],
)
@pytest.mark.parametrize("source", ["--set", "--objective.pair", "file my.toml", "sweep", "python"])
def test_options_of_a_term_without_input_are_refused_wherever_they_were_given(recipe, choices, option, source):
    found = resolve(REGISTRY, recipe, choices=choices, overrides=[Override.parse(option, source)])
    with pytest.raises(CompositionError, match="has no input: no part gives") as fault:
        check(found.recipe, REGISTRY, found.sources)
    assert option.partition("=")[0] in fault.value.where


def test_a_weight_of_zero_leaves_a_term_out():
    choices = {"encoder": "st-fusion", "objective": "psp"}
    found = resolve(REGISTRY, "double-branch", choices=choices, overrides=[Override.parse("objective.pair=0")])
    check(found.recipe, REGISTRY, found.sources)
    assert {s.name: s.reason for s in loss_terms(found.recipe)}["pair"] == "needs pair_similarity"


def test_a_recipe_handed_over_as_a_value_may_have_its_parts_swapped():
    from avelzoo import MeanPoolConfig, recipes

    found = resolve(REGISTRY, replace(recipes["psp"]("full"), encoder=MeanPoolConfig()))
    check(found.recipe, REGISTRY, found.sources)
    assert trained(found.recipe) == {"segment"}


def test_a_composition_in_which_nothing_trains_is_refused():
    zero = [Override.parse("objective.event=0"), Override.parse("objective.relevance=0")]
    found = resolve(REGISTRY, "double-branch", overrides=zero)
    with pytest.raises(CompositionError, match="no term of the objective 'general' trains the head") as fault:
        check(found.recipe, REGISTRY, found.sources)
    assert "event: its weight is 0" in fault.value.found


def test_the_remedy_names_parts_that_fit():
    """`cmbs-weak` gives the probabilities too, but needs gated streams that CMRAN's encoder does not have."""
    found = resolve(REGISTRY, "cmran", supervision="weak", choices={"head": "single"})
    with pytest.raises(CompositionError, match="no term of the objective 'video' trains the head") as fault:
        check(found.recipe, REGISTRY, found.sources)
    assert "--head gated-double" in fault.value.fix
    assert "cmbs-weak" not in fault.value.fix
    assert "--objective general" in fault.value.fix
    assert "--memory" not in fault.value.fix, "a memory's terms do not train the head"


@pytest.mark.parametrize(
    ("recipe", "option", "supervision"),
    [
        ("ead-b", "objective.contrastive_mean=parts", "weak"),
        ("ead-b", "objective.segment_pooling=max", "full"),
        ("cpsp", "objective.pair=50", "weak"),
        ("cpsp", "objective.video=2", "full"),
    ],
)
def test_options_that_count_under_the_other_supervision_are_refused_when_given_by_hand(recipe, option, supervision):
    base = resolve(REGISTRY, recipe, supervision=supervision)
    check(base.recipe, REGISTRY, base.sources)
    found = resolve(REGISTRY, recipe, supervision=supervision, overrides=[Override.parse(option)])
    with pytest.raises(CompositionError, match=r"counts under (full|weak) supervision alone") as fault:
        check(found.recipe, REGISTRY, found.sources)
    assert fault.value.where == option.partition("=")[0]


def test_dry_run_says_which_terms_train(capsys):
    assert main(["run", "psp", "--encoder", "st-fusion", "--dry-run"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["pair", "100", "no", "needs", "pair_similarity;", "given", "by", "encoder", "cpsp,", "psp"] in lines
    assert ["segment", "1", "yes", "head"] in lines
    assert main(["run", "psp", "--dry-run", "--json"]) == 0
    terms = json.loads(capsys.readouterr().out)["terms"]
    assert terms["pair"] == {"weight": 100.0, "trains": True, "reason": "", "given_by": ["encoder"]}
    unimodal = terms["unimodal"]
    assert (unimodal["trains"], unimodal["given_by"]) == (False, [])
    assert unimodal["reason"].startswith("needs audio_logits and visual_logits; given by memory ")
    assert "jsd-bank" in unimodal["reason"]


def test_a_runs_start_and_its_record_say_which_terms_train(capsys, tmp_path):
    out = tmp_path / "run"
    argv = ["run", "psp", "--encoder", "mean-pool", *TINY, "--out", str(out), "--json"]
    assert main(argv) == 0
    said = capsys.readouterr().err
    assert "loss terms" in said
    assert "segment x 1" in said
    assert "pair (needs pair_similarity; given by encoder cpsp, psp)" in " ".join(said.split())
    terms = json.loads((out / "composition.json").read_text())["terms"]
    assert [name for name, state in terms.items() if state["trains"]] == ["segment"]
    assert terms["pair"]["reason"] == "needs pair_similarity; given by encoder cpsp, psp"
    assert main([*argv, "--resume"]) == 0
    assert "loss terms" not in capsys.readouterr().err, "a finished run does not start"
    assert main([*argv[:-2], str(tmp_path / "quiet"), "--quiet"]) == 0
    assert "loss terms" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("supervision", "protocol", "leaks"),
    [("full", "soft-duration", False), ("weak", "soft-duration", True), ("weak", "onehot", False)],
)
def test_runs_trained_with_labels_that_leak_the_duration_carry_a_mark(supervision, protocol, leaks, capsys, tmp_path):
    out = tmp_path / "run"
    values = ("--set", f"dataset.weak_protocol={protocol}")
    argv = ["run", "double-branch", "--encoder", "mean-pool", "--supervision", supervision, *values, *TINY]
    assert main([*argv, "--out", str(out)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert ("† trained with soft-duration labels" in said) is leaks
    result = json.loads((out / "result.json").read_text())
    assert result["leaks_duration"] is leaks
    assert result["weak_protocol"] == (protocol if supervision == "weak" else None)
    assert main(["evaluate", str(out)]) == 0
    assert ("† trained with soft-duration labels" in " ".join(capsys.readouterr().out.split())) is leaks


def test_the_mark_is_in_the_table_of_all_recipes(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parent.parent / "scripts"))
    cells = import_module("recipes_on_worlds").cells
    row = {"recipe": "psp", "segment_accuracy": 0.9, "interval": (0.8, 0.95), "own_category_all_event": 0.8}
    row |= {"event_f1_iou50": 0.7, "best_epoch": 2, "epochs": 3}
    assert cells(row | {"leaks_duration": True})[0] == "`psp` †"
    assert cells(row | {"leaks_duration": False})[0] == "`psp`"


def test_the_mark_is_on_results_and_in_a_sweeps_table(tmp_path):
    from avelzoo import sweep

    tiny = {"train.epochs": 1, "train.limit_batches": 1, "dataset.train_videos": 16, "train.batch_size": 8}
    axes = {"dataset.weak_protocol": ["soft-duration", "onehot"], "encoder": ["mean-pool"]}
    found = sweep("double-branch", over=axes, supervision="weak", options=tiny, out=tmp_path / "sweep")
    assert [cell.leaks_duration for cell in found.cells] == [True, False]
    marked, plain = (line for line in str(found).splitlines()[2:4])
    assert "†" in marked
    assert "†" not in plain
    assert "\n† trained with soft-duration labels" in str(found)
    options = tiny | {"dataset.weak_protocol": "soft-duration"}
    told = run("double-branch", supervision="weak", encoder="mean-pool", options=options, out=tmp_path / "run")
    assert str(told).startswith("avelzoo/double-branch (weak) †:")


def test_terms_without_parameters_are_shown_as_not_trained(capsys):
    """The recipe of names has no parameters: its losses are computed, and nothing learns from them."""
    assert main(["run", "names-agreement", "--dry-run", "--json"]) == 0
    terms = json.loads(capsys.readouterr().out)["terms"]
    assert {name for name, term in terms.items() if term["trains"]} == set()
    assert terms["event"]["reason"] == "no parameters in encoder and head"
    assert main(["run", "names-agreement", "--dry-run"]) == 0
    assert " yes " not in capsys.readouterr().out.partition("loss term")[2]


def test_parts_without_parameters_are_declared():
    """`has_parameters` of these encoders and heads is what the built part has."""
    widths = GivenScoresConfig().build(SPEC).widths
    encoders = (GivenScoresConfig(), REGISTRY.get("encoder", "mean-pool").target())
    heads = (JointScoresConfig(), REGISTRY.get("head", "single").target())
    built = [(config, config.build(SPEC)) for config in encoders]
    built += [(config, config.build(SPEC, widths, "full")) for config in heads]
    assert [config.has_parameters for config, _ in built] == [False, True, False, True]
    assert [bool(list(part.parameters())) for _, part in built] == [False, True, False, True]
