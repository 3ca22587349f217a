"""``compute.precision=auto``: what it chooses, what is cached, recorded and said."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from avelzoo import engine
from avelzoo.cli import main
from avelzoo.cli.execute import StartLines
from avelzoo.composition import precision as choosing
from avelzoo.composition.overrides import Override
from avelzoo.composition.precision import AUTO, choose, expected_precision, precision_line, resolve_precision
from avelzoo.composition.resolving import overridden
from avelzoo.engine.parallel.rank import Rank
from avelzoo.engine.record import comparable
from avelzoo.extraction.request import Features
from avelzoo.plugin.default import default_host
from avelzoo.plugin.listeners import RunView
from avelzoo.profiling import profile
from avelzoo.sweeps.folder import SweepDir
from avelzoo.sweeps.plan import Trial
from avelzoo.sweeps.running import finished
from avelzoo.system import speeds as cache
from avelzoo.system.speeds import FILE, Speeds, bf16_units, cached_speeds, instructions, processor_speeds
from tests.engine.tiny import composed, tiny_registry

CPU = torch.device("cpu")
FAST, SLOW = Speeds(100e9, 450e9), Speeds(100e9, 120e9)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path / "avelzoo"


@pytest.fixture
def measured(folder, monkeypatch):
    """How often speeds were measured; each measurement finds `FAST`."""
    calls = []

    def product_speeds(device, dtypes):
        calls.append(device)
        return dict(zip(dtypes, (FAST.float32, FAST.bf16), strict=True))

    monkeypatch.setattr("avelzoo.system.products.product_speeds", product_speeds)
    return calls


def automatic(**options):
    return overridden(composed(**options), [Override("compute.precision", AUTO, "--precision")])


def recorded(path):
    slot = json.loads((path / "composition.json").read_text())["slots"]["compute"]
    return slot["options"]["precision"], slot["sources"]["precision"]


@pytest.mark.parametrize(
    ("speeds", "expected", "why"),
    [(FAST, "bf16-mixed", "4.5 times"), (SLOW, "32", "1.2 times"), (Speeds(100, 150), "bf16-mixed", "1.5 times")],
)
def test_the_faster_products_decide(speeds, expected, why):
    precision, said = choose(speeds)
    assert precision == expected
    assert why in said


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "32"), ((8, 0), "bf16-mixed"), ((9, 0), "bf16-mixed")])
def test_a_gpu_is_asked_not_measured(monkeypatch, capability, expected):
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda _device: capability)
    monkeypatch.setattr(choosing, "processor_speeds", lambda: pytest.fail("measured"))
    precision, why = resolve_precision(AUTO, SimpleNamespace(type="cuda"))
    assert (precision, why) == (expected, f"compute capability {capability[0]}.{capability[1]}")
    assert resolve_precision("64", CPU) == ("64", "")


def test_speeds_are_measured_once(measured, folder):
    assert processor_speeds() == processor_speeds() == FAST
    assert len(measured) == 1
    assert cached_speeds() == {torch.get_num_threads(): FAST}
    assert not list(folder.glob(".*")), "written whole"


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-20],
        lambda _text: "[]",
        lambda text: text.replace("450000000000.0", '"fast"'),
        lambda text: text.replace("450000000000.0", "-1"),
        lambda text: text.replace("torch ", "torch 0."),
    ],
)
def test_a_cache_of_another_torch_or_with_damage_is_measured_again(measured, folder, damage):
    processor_speeds()
    before = (folder / FILE).read_text()
    (folder / FILE).write_text(damage(before))
    assert damage(before) != before
    assert cached_speeds() == {}
    assert processor_speeds() == FAST
    assert len(measured) == 2
    assert cached_speeds() == {torch.get_num_threads(): FAST}


def test_other_threads_have_their_own_speeds(measured):
    before = torch.get_num_threads()
    processor_speeds()
    torch.set_num_threads(before + 1)
    try:
        processor_speeds()
    finally:
        torch.set_num_threads(before)
    assert sorted(cached_speeds()) == [before, before + 1]
    assert len(measured) == 2


def test_a_cache_that_cannot_be_written_is_no_error(measured, folder):
    folder.write_text("a file where the folder should be")
    assert processor_speeds() == processor_speeds() == FAST
    assert len(measured) == 2


def test_instructions_of_a_processor(tmp_path):
    listed = tmp_path / "cpuinfo"
    listed.write_text("processor\t: 0\nmodel name\t: A: 1\nflags\t\t: sse avx2 amx_bf16\n\nprocessor\t: 1\n")
    assert instructions(listed) == ("A: 1", ("amx_bf16", "avx2"))
    name, flags = instructions(tmp_path / "missing")
    assert name
    assert flags == ()
    assert [bf16_units(f) for f in (("avx512_bf16", "amx_bf16"), ("avx512_bf16",), ())] == ["AMX", "AVX512", "none"]


def test_a_run_records_the_precision_that_was_chosen(tmp_path, measured, capsys):
    composition = automatic(train_epochs=1)
    out = tmp_path / "run"
    result = engine.run(composition, out, registry=tiny_registry(), device="cpu")
    assert result.precision == "bf16-mixed"
    assert recorded(out) == ("bf16-mixed", "auto: bf16 products 4.5 times as fast as float32 here")
    assert engine.load_run(out, tiny_registry()).precision == "bf16-mixed"
    StartLines(tiny_registry(), "").run_started(RunView(out, composition))
    said = capsys.readouterr().err
    assert "precision   bf16-mixed (bf16 products 4.5 times as fast as float32 here)" in said
    engine.run(composed(train_epochs=1), tmp_path / "fixed", registry=tiny_registry(), device="cpu")
    assert precision_line(tmp_path / "fixed") == ""
    sweep = SweepDir(tmp_path / "sweep")
    trial = Trial(name="one", cell={}, seed=0, composition=composition.to_dict())
    sweep.run(trial).parent.mkdir(parents=True)
    out.rename(sweep.run(trial))
    assert finished(sweep, [trial])["one"]["precision"] == "bf16-mixed"


def test_a_resumed_run_keeps_its_precision_on_another_machine(tmp_path, measured, monkeypatch):
    out = tmp_path / "run"
    asked = automatic(train_epochs=1)
    engine.run(asked, out, registry=tiny_registry(), device="cpu")
    (out / "result.json").unlink()
    monkeypatch.setattr(choosing, "processor_speeds", lambda: SLOW)
    assert engine.run(asked, out, registry=tiny_registry(), device="cpu", resume=True).precision == "bf16-mixed"
    assert recorded(out)[0] == "bf16-mixed"
    assert engine.run(asked, out, registry=tiny_registry(), device="cpu", resume=True).precision == "bf16-mixed"


def test_processes_use_the_choice_of_rank_0(monkeypatch, tmp_path):
    from avelzoo.engine import precision as deciding

    monkeypatch.setattr(deciding, "resolve_precision", lambda *_given: pytest.fail("rank 1 chose by itself"))
    monkeypatch.setattr(deciding.Collectives, "broadcast_object", lambda _self, _value: ("32", "said by rank 0"))
    found = deciding.with_chosen_precision(automatic(), tmp_path, CPU, Rank(1, 2, 1, 2))
    assert found.recipe.compute.precision == "32"
    assert found.sources["compute.precision"] == "auto: said by rank 0"


def test_every_option_for_a_precision_accepts_auto(measured, monkeypatch):
    from typer.main import get_command

    from avelzoo.cli.app import build_app

    metavars = {}
    for argv in (["run", "ead-b", "--help"], ["profile", "--help"], ["extract", "--help"], ["predict", "--help"]):
        command = get_command(build_app(argv)).commands[argv[0]]
        metavars |= {f"{argv[0]} {p.opts[0]}": p.metavar for p in command.params if "recision" in p.opts[0]}
    assert {"run --precision", "profile --precision", "extract --precision"} <= set(metavars)
    assert all(not value or "auto" in value.split("|") for value in metavars.values()), metavars
    recipe = automatic().recipe
    assert profile(recipe, recipe.dataset.open("full").spec, batch_size=2, repeats=1).precision == "bf16-mixed"
    assert Features(precision=AUTO, device="cpu").resolved().precision == "bf16"
    assert Features(precision="32").resolved() == Features(precision="32")


@pytest.mark.parametrize(
    ("known", "device", "expected"),
    [
        ({1: FAST}, "cpu", "bf16-mixed on this CPU (bf16 products 4.5 times as fast as float32 here, measured before)"),
        ({}, "cpu", "measured on the CPU when the run starts"),
        ({1: FAST, 2: SLOW}, "cpu", "measured on the CPU when the run starts"),
        ({1: FAST}, "cuda:0", "bf16-mixed on a GPU of compute capability 8.0 or newer, 32 on older ones"),
    ],
)
def test_before_the_run_only_what_is_known_is_said(monkeypatch, known, device, expected):
    monkeypatch.setattr(choosing, "cached_speeds", lambda: known)
    assert expected_precision(device) == expected
    assert expected_precision("auto").endswith("on older ones")


def test_a_dry_run_says_it(monkeypatch, capsys):
    monkeypatch.setattr(choosing, "cached_speeds", lambda: {1: FAST})
    assert main(["run", "single-branch", "--precision", "auto", "--device", "cpu", "--dry-run"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "precision bf16-mixed on this CPU (bf16 products 4.5 times as fast" in said
    recipe = default_host().registry.get("recipe", "single-branch").target("full")
    assert recipe.compute.precision == "32", "the default of recipes"
    assert replace(recipe.compute, precision=AUTO).to_dict()["precision"] == AUTO


def test_auto_equals_the_recorded_value_only(tmp_path):
    mine, other = automatic().to_dict(), composed().to_dict()
    (tmp_path / "composition.json").write_text(json.dumps(other))
    engine.RunDir(tmp_path).require_values(mine)
    assert comparable(mine) != comparable(other)
    with pytest.raises(Exception, match="other values"):
        engine.RunDir(tmp_path).require_values(composed(compute_precision="64").to_dict())


def test_a_record_of_an_earlier_version_takes_the_defaults_of_newer_options_but_no_value_that_is_named(tmp_path):
    record = composed().to_dict()
    del record["slots"]["compute"]["options"]["transfer"]
    (tmp_path / "composition.json").write_text(json.dumps(record))
    folder = engine.RunDir(tmp_path)
    folder.require_values(composed().to_dict())
    named = composed().to_dict()
    named["slots"]["compute"]["options"]["transfer"] = "bfloat16"
    named["slots"]["compute"]["sources"]["transfer"] = "--set"
    with pytest.raises(Exception, match="transfer is None, not bfloat16"):
        folder.require_values(named)


def test_a_start_loads_no_compiler(tmp_path):
    """A whole run, with gradients clipped and the state saved: neither PyTorch's compiler nor sympy is imported."""
    code = f"""
import sys
from pathlib import Path
from avelzoo import engine
from tests.engine.tiny import composed, tiny_registry
options = {{"train_epochs": 1, "train_clip_norm": 1.0, "optimizer_learning_rate": 0.01}}
engine.run(composed(**options), Path({str(tmp_path / "run")!r}), registry=tiny_registry(), device="cpu")
print(sorted({{"torch._dynamo", "torch._inductor", "sympy"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_cache_has_a_key_without_torch():
    code = "import sys; from avelzoo.system.speeds import cached_speeds; cached_speeds(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
    assert "torch" in cache._key()
