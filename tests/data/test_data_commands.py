from __future__ import annotations

import json
import subprocess
import sys

import pytest

from avelzoo.cli import main


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*argv):
        capsys.readouterr()
        code = main(["data", *map(str, argv)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


SMALL = ("--videos", 60, "--grid", "2x3", "--visual-dim", 4)


def test_simulate_status_doctor(call, tmp_path):
    code, out, err = call("simulate", "d", *SMALL, "--json")
    assert (code, err) == (0, "")
    marker = json.loads(out)
    assert marker["root"] == "d"
    assert sum(marker["splits"].values()) == marker["videos"] == 60
    assert marker["real"] == {"annotations": False, "splits": False, "negatives_audio": False}

    code, out, err = call("status", "d", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["simulated"]["seed"] == 0
    assert told["allows"]["full"] == {"vggish": True, "cnn14": False}
    assert told["missing"]["weak, onehot+neg"]["cnn14"] == ["audio_cnn14.h5", "audio_cnn14_noisy.h5"]

    code, out, err = call("doctor", "d", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["ok"]
    assert told["errors"] == 0
    assert {file["name"] for file in told["files"]} == {p.name for p in (tmp_path / "d").iterdir()} - {"simulated.json"}


def test_what_people_read(call):
    code, out, err = call("simulate", "d", *SMALL)
    assert (code, err) == (0, "")
    assert "60 (48 train, 6 val, 6 test)" in out
    assert "say nothing about AVE" in out
    _, out, _ = call("status", "d")
    assert "60 x 10 x 2 x 3 x 4 float64" in " ".join(out.split())
    assert "no: audio_cnn14.h5, audio_cnn14_noisy.h5" in out
    assert "say nothing about AVE" in out.replace("\n", " ")
    _, out, _ = call("doctor", "d", "--quick")
    assert out.rstrip().endswith("no errors, no warnings; features were sampled (--quick)")


def test_a_broken_folder_has_exit_code_3(call, folder):
    folder.put("train_order.h5", [0, 99], "order")
    folder.cut("audio_feature.h5")
    code, out, _ = call("doctor", folder.root)
    assert code == 3
    assert "error: train_order.h5: an order file lists rows that do not exist\n  found: 99\n" in out
    code, out, err = call("doctor", folder.root, "--json")
    assert (code, err) == (3, "")
    assert json.loads(out)["errors"] == 2
    code, out, _ = call("status", folder.root)
    assert code == 0
    assert "a file is truncated" in out
    assert "avelzoo data doctor" in out


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        (("status", "nowhere"), 3, "data folder missing"),
        (("doctor", "nowhere"), 3, "data folder missing"),
        (("simulate", "d", "--videos", 2), 2, "cannot be chosen"),
        (("simulate", "d", "--videos", 9, "--full-size"), 2, "mutually exclusive"),
        (("simulate", "d", "--audio", "vgg"), 2, "unknown audio features"),
        (("simulate", "d", "--grid", "7"), 2, "not a grid"),
        (("simulate", "d", "--grid", "0x7"), 2, "not a grid"),
        (("simulate", "d", "--visual-dim", 0), 2, "visual-dim"),
        (("simulate", "d", "--annotations", "nowhere.txt"), 3, "annotations are missing"),
        (("simulate", ".", *SMALL), 2, "holds other files"),
    ],
)
def test_one_message_and_an_exit_code(call, tmp_path, argv, code, told):
    (tmp_path / "mine").touch()
    assert call(*argv)[0] == code
    assert told in call(*argv)[2]
    got, out, _ = call(*argv, "--json")
    assert got == json.loads(out)["exit_code"] == code
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_what_a_stopped_simulation_left_is_pointed_at(call, tmp_path):
    (tmp_path / ".d.partial-1").mkdir()
    code, _, err = call("simulate", "d", *SMALL)
    assert code == 0
    assert ".d.partial-1" in err


def test_a_killed_simulation_leaves_no_folder(tmp_path, root):
    """Killed while the first features are written: nothing has the target's name."""
    code = (
        f"import os, signal, sys; sys.path.insert(0, {str(root)!r})\n"
        "from avelzoo.data.making.generator import Generator\n"
        "Generator.audio = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from avelzoo.cli import main; main(['data', 'simulate', 'd', '--videos', '5', '--grid', '1x1'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert done.returncode == -9
    assert not (tmp_path / "d").exists()


def test_commands_do_not_import_torch(tmp_path, root):
    code = (
        f"import sys; sys.path.insert(0, {str(root)!r})\n"
        "from avelzoo.cli import main\n"
        "simulated = main(['data', 'simulate', 'd', '--videos', '5', '--grid', '1x1'])\n"
        "sys.exit(simulated or main(['data', 'doctor', 'd']) or 'torch' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False, stdout=-1).returncode == 0
