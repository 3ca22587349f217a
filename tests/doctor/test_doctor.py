"""`avelzoo doctor`: every line is ok, a warning or a problem; broken libraries are lines, not tracebacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest

from avelzoo.cli import main
from avelzoo.doctor import environment, examining, installed, libraries
from avelzoo.doctor.completion import completion
from avelzoo.doctor.devices import devices
from avelzoo.doctor.environment import machine
from avelzoo.doctor.findings import Examination, Finding, guarded
from avelzoo.doctor.imports import Imports, Probe, read
from avelzoo.doctor.libraries import extras, required

CPU = {
    "cuda_build": None,
    "cuda_available": False,
    "cuda_devices": [],
    "cuda_refusal": "",
    "mps_built": False,
    "mps_available": False,
    "threads": 2,
    "instructions": "AVX2",
    "product_speeds": {"float32": 90e9, "bf16": 45e9},
}


class FakeProbe:
    """Answers at once, without a process."""

    found = Imports({}, CPU)

    def __init__(self, modules):
        assert "torch" in modules

    def result(self):
        return self.found

    def stop(self):
        pass


@pytest.fixture
def doctor(monkeypatch, tmp_path, capsys):
    """``doctor("--data", DIR)`` without imports: code and document."""
    monkeypatch.setattr(examining, "Probe", FakeProbe)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AVELZOO_WEIGHTS", str(tmp_path / "weights"))

    def run(*argv, imports=None):
        monkeypatch.setattr(FakeProbe, "found", imports or Imports({}, CPU))
        capsys.readouterr()
        code = main(["doctor", *map(str, argv), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def lines(document, section):
    return {line["name"]: line for line in document["findings"] if line["section"] == section}


def test_an_installation_without_problems(doctor):
    code, told = doctor()
    assert (code, told["ok"], told["problems"]) == (0, True, 0)
    sections = list(dict.fromkeys(line["section"] for line in told["findings"]))
    assert sections == ["environment", "devices", "data", "plugins", "weights", "extras", "completion"]
    assert lines(told, "environment")["torch"]["text"].startswith(metadata.version("torch"))
    assert lines(told, "plugins")["avelzoo"]["level"] == "ok"
    missing = lines(told, "weights")["vggish"]
    assert missing["level"] == "warning"
    assert "avelzoo weights path vggish" in missing["fix"]
    assert {line["level"] for line in told["findings"]} <= {"ok", "warning", "problem"}
    assert all(line["fix"] for line in told["findings"] if line["level"] != "ok")


def test_for_people_each_line_begins_with_its_level(doctor, capsys):
    doctor()
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "\ndevices\n" in out
    assert "  ok       cpu" in out
    assert "no problems, " in out
    assert "what to do: `avelzoo weights path vggish`" in out


BROKEN = {
    "raises": ("raise ImportError('libcudart.so.12: cannot open shared object file')", "libcudart.so.12"),
    "exits": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "crashes": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_library_is_found_out(tmp_path, monkeypatch, kind):
    source, said = BROKEN[kind]
    (tmp_path / "torch.py").write_text("print('noise')\n" + source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = Probe(["json", "torch"]).result()
    assert list(found.errors) == ["torch"]
    assert said in found.errors["torch"]
    assert found.torch == {}


def test_a_library_of_the_same_name_is_not_pytorch(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("__version__ = '9.9'")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = Probe(["torch"]).result()
    assert found.errors == {}
    assert {finding.name: finding.level for finding in devices(found)}["cpu"] == "warning"


def test_a_broken_torch_is_a_line_of_the_command(tmp_path, root):
    (tmp_path / "torch.py").write_text(BROKEN["crashes"][0])
    done = subprocess.run(
        [sys.executable, "-m", "avelzoo", "doctor", "--json"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(root)]), "AVELZOO_LOAD_PLUGINS": ""},
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    torch = lines(told, "environment")["torch"]
    assert torch["level"] == "problem"
    assert "SIGSEGV" in torch["text"]
    assert torch["fix"].startswith("pip install 'torch>=")
    assert "cannot be imported" in lines(told, "devices")["devices"]["text"]


def test_what_a_crash_leaves_is_told_apart():
    said = '{"begin": "numpy"}\n{"library": "numpy", "version": "2"}\n{"begin": "torch"}\n{"libr'
    found = read(said, "the process was ended by SIGKILL", ["numpy", "torch", "timm"])
    assert found.errors == {
        "torch": "the process was ended by SIGKILL",
        "timm": "not tried: the process was ended by SIGKILL at torch",
    }
    assert read("", "exit", ["torch"]).errors == {"torch": "not tried: exit"}


def test_versions_outside_the_range_are_problems(monkeypatch):
    monkeypatch.setattr(libraries.metadata, "requires", lambda name: ["torch>=99", "rich>=1", "nowhere-at-all>=1"])
    libraries.libraries.cache_clear()
    found = {finding.name: finding for finding in required(Imports())}
    libraries.libraries.cache_clear()
    assert found["rich"].level == "ok"
    assert (found["torch"].level, found["torch"].fix) == ("problem", "pip install 'torch>=99'")
    assert (found["nowhere-at-all"].level, found["nowhere-at-all"].text) == ("problem", "missing")


def test_extras_name_what_is_missing_and_the_command(monkeypatch):
    texts = ["nowhere-at-all>=1; extra == 'media'", "rich>=1; extra == 'onnx'", "pillow>=1; extra == 'report'"]
    monkeypatch.setattr(libraries.metadata, "requires", lambda name: texts)
    libraries.libraries.cache_clear()
    found = {finding.name: finding for finding in extras(Imports({"PIL": "ImportError: no libjpeg"}))}
    libraries.libraries.cache_clear()
    assert (found["media"].level, found["media"].fix) == ("warning", "pip install 'avelzoo[media]'")
    assert "missing: nowhere-at-all" in found["media"].text
    assert found["onnx"].level == "ok"
    assert (found["report"].level, found["report"].fix) == ("problem", "pip install 'avelzoo[report]'")
    assert found["ray"].level == "warning"  # metadata older than the code


GPU = {"cuda_build": "12.8", "cuda_devices": [{"name": "A", "gib": 80.0, "bf16": True}]}


@pytest.mark.parametrize(
    ("facts", "driver", "expected"),
    [
        ({}, False, ("CUDA", "ok", "this build of PyTorch is for processors only")),
        ({}, True, ("CUDA", "warning", "has an NVIDIA driver")),
        ({"cuda_build": "12.8", "cuda_refusal": "too old"}, True, ("CUDA", "problem", "too old")),
        ({"cuda_build": "12.8", "cuda_refusal": "no driver"}, False, ("CUDA", "ok", "no driver")),
        ({"cuda_build": "12.8"}, False, ("CUDA", "ok", "no device; runs")),
        (GPU, True, ("cuda:0", "ok", "--precision bf16-mixed")),
        ({"mps_built": True, "mps_available": True}, False, ("MPS", "ok", "avelzoo computes on cpu or cuda")),
        ({"product_speeds": {"float32": 1e9, "bf16": 4e9}}, False, ("cpu", "ok", "--precision auto is bf16-mixed")),
        ({}, False, ("cpu", "ok", "float32 90, bf16 45; --precision auto is 32 (bf16 products 0.5 times as fast")),
        ({"product_speeds": "error: no"}, False, ("cpu", "warning", "bf16 does not work")),
    ],
)
def test_devices(tmp_path, facts, driver, expected):
    name, level, text = expected
    there = tmp_path / "version"
    if driver:
        there.touch()
    found = {finding.name: finding for finding in devices(Imports({}, CPU | facts), there)}[name]
    assert found.level == level
    assert text in found.text


def test_little_memory_and_too_many_threads_are_warnings(monkeypatch):
    monkeypatch.setattr(environment, "available_mb", lambda: 900.0)
    monkeypatch.setattr(environment, "total_mb", lambda: 16 * 1024.0)
    monkeypatch.setattr(environment, "limit_mb", lambda: 1024.0)
    monkeypatch.setenv("OMP_NUM_THREADS", "4096")
    found = {finding.name: finding for finding in machine(Imports())}
    assert found["memory"].level == "warning"
    assert found["memory"].text == "0.9 GiB available of 16.0 GiB; limit of the control group 1.0 GiB"
    assert found["threads"].level == "warning"
    assert "OMP_NUM_THREADS=4096" in found["threads"].text


def test_a_run_folder_that_cannot_be_made(monkeypatch, tmp_path):
    (tmp_path / "runs").write_text("a file")
    monkeypatch.chdir(tmp_path)
    found = {finding.name: finding for finding in machine(Imports())}
    assert found["run folders"].level == "problem"


def test_data_are_examined(doctor, tmp_path):
    assert lines(doctor()[1], "data")["worlds"]["level"] == "ok"
    code, told = doctor("--data", tmp_path / "nowhere")
    assert code == 1
    assert "nowhere" in json.dumps(lines(told, "data"))
    folder = tmp_path / "simulated"
    assert main(["data", "simulate", str(folder), "--videos", "30", "--grid", "1x1", "--visual-dim", "4"]) == 0
    code, told = doctor("--data", folder)
    assert code == 0
    assert "data doctor" in lines(told, "data")[str(folder)]["fix"]
    np.array([1]).tofile(folder / "audio_feature.h5")
    code, told = doctor("--data", folder)
    assert code == 1
    assert lines(told, "data")["audio_feature.h5"]["level"] == "problem"


def test_data_of_other_layouts_are_examined(doctor, tmp_path):
    folder, videos = tmp_path / "clips", tmp_path / "videos"
    assert main(["ov-ave-simulate", str(folder), "--clips", "40", "--seen", "4", "--unseen", "2"]) == 0
    code, told = doctor("--data", folder)
    (found,) = lines(told, "data").values()
    assert (code, found["level"]) == (1, "problem")
    assert found["fix"] == "add --dataset ov-ave, which can read this folder"
    code, told = doctor("--data", folder, "--dataset", "ov-ave")
    assert code == 0
    assert "categories" in lines(told, "data")["test"]["text"]
    assert lines(told, "data")["features of ov-ave"]["text"].startswith("labels can be audited, but no model")
    videos.mkdir()
    (videos / "a.mp4").touch()
    found = lines(doctor("--data", videos)[1], "data")[str(videos)]
    assert "found a.mp4" in found["text"]
    assert "avelzoo extract" in found["fix"]


def test_data_sets_without_a_folder_are_examined(doctor, tmp_path):
    code, told = doctor("--dataset", "worlds")
    assert code == 0
    assert lines(told, "data")["features of test"]["text"].startswith("240 videos; the first one has audio 10 x 32")
    assert "reads no folder" in lines(doctor("--dataset", "worlds", "--data", tmp_path)[1], "data")["worlds"]["text"]
    assert "reads a folder" in lines(doctor("--dataset", "ave")[1], "data")["ave"]["text"]
    assert "nope" in lines(doctor("--dataset", "nope")[1], "data")["data"]["text"]
    offline = Imports({}, {})
    assert lines(doctor("--dataset", "worlds", imports=offline)[1], "data")["features"]["level"] == "warning"


@pytest.mark.parametrize(
    ("shell", "files", "level"),
    [
        ("bash", {}, "warning"),
        ("bash", {".bash_completions/avelzoo.sh": "complete"}, "ok"),
        ("zsh", {".zshrc": 'eval "$(avelzoo --show-completion zsh)"'}, "ok"),
        ("zsh", {".zshrc": "nothing"}, "warning"),
        ("tcsh", {}, "ok"),
    ],
)
def test_completion(tmp_path, shell, files, level):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = list(completion(tmp_path, {"SHELL": f"/bin/{shell}", "PATH": os.environ["PATH"]}))
    assert found[-1].level == level


def test_no_command_on_path_is_a_warning(tmp_path):
    assert next(iter(completion(tmp_path, {"PATH": str(tmp_path)}))).level == "warning"


def test_broken_and_disabled_plugins(monkeypatch):
    from avelzoo.plugin.default import as_default
    from avelzoo.plugin.host import PluginHost
    from avelzoo.plugin.status import PluginRecord

    host = PluginHost(entry_points=False)
    host.records += [
        PluginRecord("bad", "bad-dist", "1.0", "entry point bad", "broken", "ImportError: no"),
        PluginRecord("off", "off-dist", "1.0", "entry point off", "disabled"),
    ]
    with as_default(host):
        found = {finding.name: finding for finding in installed.plugins()}
    assert (found["bad"].level, found["off"].level) == ("problem", "ok")
    assert "ImportError: no" in found["bad"].text
    assert "AVELZOO_DISABLE_PLUGINS=bad" in found["bad"].fix


def test_an_error_in_a_section_is_a_problem_of_it():
    def fails():
        yield Finding("weights", "first", "ok", "fine")
        raise SystemExit(3)

    found = Examination(tuple(guarded("weights", fails)))
    assert [f.level for f in found.findings] == ["ok", "problem"]
    assert not found.ok
