"""Where AVE's files come from: what status names, what the doctor compares, and what a damaged marker means."""

from __future__ import annotations

import json
import shutil

import h5py
import numpy as np
import pytest

from avelzoo.builtin.datasets.configs import AveConfig
from avelzoo.cli import main
from avelzoo.data import facts
from avelzoo.data.checking.doctor import examine
from avelzoo.data.checking.sources import CLONE, OPTIONAL, SOURCES, steps
from avelzoo.data.checking.status import status
from avelzoo.data.making.pack import pack
from avelzoo.data.making.simulate import Simulation, simulate
from avelzoo.data.reading.layout import FILES, ORDERS, VISUAL
from avelzoo.errors import DataError, UsageError

BASE = ("Annotations.txt", "train_order.h5", "val_order.h5", "test_order.h5")


@pytest.fixture
def told(capsys):
    def tell(*argv):
        code = main(["data", *map(str, argv)])
        assert code == 0
        return capsys.readouterr().out

    return tell


def test_every_public_file_has_a_source():
    public = {file.name for file in FILES if file.axes} | {"Annotations.txt"}
    assert public <= set(SOURCES)
    assert {name for name, source in SOURCES.items() if source.sha256} == set(facts.CHECKSUMS)
    assert all(source.bytes for source in SOURCES.values() if source.sha256)


def test_an_empty_folder_is_told_the_shortest_way(tmp_path, told):
    out = told("status", tmp_path)
    assert "full / weak, onehot: needs 6 files, 6 missing; 4 of them by one git clone\n" in out
    assert f"  {', '.join(BASE)}: {CLONE}, folder data/\n  visual_feature.h5: YapengTian/AVE-ECCV18: README" in out
    assert "needs 8 files, 8 missing; 2 besides those above; 1 of them by one git clone\n" in out
    for name, source in SOURCES.items():
        if name in {file.name for file in FILES}:
            line = next(line for line in out.splitlines() if line.startswith(f"  {name}") and "needs" not in line)
            assert str(source) in line
    assert "8.3 GB" in out
    assert "avelzoo downloads nothing" in out


def test_sources_as_data(tmp_path, told):
    data = json.loads(told("status", tmp_path, "--json"))
    files = {file["name"]: file for file in data["files"]}
    annotations = files["Annotations.txt"]["source"]
    assert annotations["publisher"] == "YapengTian/AVE-ECCV18"
    assert (annotations["bytes"], annotations["sha256"]) == (144287, facts.CHECKSUMS["Annotations.txt"])
    assert files["right_labels.h5"]["needed_for"] == ["labels=right_labels"]
    assert files["audio_cnn14.h5"]["needed_for"][0] == "full with cnn14"
    assert files["visual_feature_noisy.h5"]["needed_for"] == ["weak, onehot+neg", "weak, soft-duration"]
    assert files["categories.txt"]["source"] is None
    assert data["get"]["full"]["vggish"][0] == f"{', '.join(BASE)}: {CLONE}, folder data/"
    assert len(data["get"]["full"]["vggish"]) == 3
    assert data["get"]["labels=labels"]["cnn14"][-1].startswith("labels.h5: jasongief/PSP_CVPR_2021")
    assert {name for name, file in files.items() if not file["needed_for"] and file["source"]} == {*OPTIONAL} - {VISUAL}


def test_only_what_is_missing_is_named(folder, told):
    for name, values in folder.labels().items():
        folder.put(name, values)
    out = told("status", folder.root)
    assert "needs" not in out.replace("needed", "")  # every use is possible with VGGish
    assert "visual_feature.h5, 8.3 GB" not in out
    (folder.root / "audio_feature.h5").unlink()
    assert "needs 6 files, 1 missing\n  audio_feature.h5: YapengTian" in told("status", folder.root)


def test_the_kind_of_audio_that_lacks_least(folder):
    (folder.root / "audio_feature.h5").rename(folder.root / "audio_cnn14.h5")
    (folder.root / "val_order.h5").unlink()
    need = status(folder.root).needs()[0]
    assert (need.uses[0], need.missing) == ("full", ("val_order.h5",))


def test_steps_group_by_download():
    assert steps(["labels.h5", "prob_label.h5"])[0].startswith("labels.h5, prob_label.h5: jasongief")
    assert steps(["nothing.h5"]) == ["nothing.h5: not part of AVE's public files"]


def test_the_doctor_names_the_source_of_a_missing_file(folder):
    (folder.root / "train_order.h5").unlink()
    finding = next(f for f in examine(folder.root, quick=True).findings if f.level == "error")
    assert "YapengTian/AVE-ECCV18" in finding.fix


# -- checksums -------------------------------------------------------------------------------------------------------


def differing(root, **options):
    problem = "the file differs from AVE's published file"
    return {f.file: f for f in examine(root, **options).findings if f.problem == problem}


def test_a_changed_small_file_of_ave_is_said(shared, tmp_path):
    root = tmp_path / "ave"
    shutil.copytree(shared / "ave", root)
    assert differing(root) == {}
    with h5py.File(root / "val_order.h5", "r+") as file:
        file["order"][:2] = file["order"][:2][::-1]
    (root / "Annotations.txt").write_bytes((root / "Annotations.txt").read_bytes().replace(b"\n", b"\r\n"))
    found = differing(root)
    assert set(found) == {"val_order.h5", "Annotations.txt"}
    assert {f.level for f in found.values()} == {"warning"}
    assert "5,360 bytes" in found["val_order.h5"].expected
    assert "YapengTian/AVE-ECCV18" in found["val_order.h5"].expected


def test_own_data_is_not_compared(folder):
    assert differing(folder.root) == {}


def test_ave_s_categories_are_enough_to_compare(folder):
    names = list(facts.CATEGORIES)
    folder.annotate("".join(f"{name}&v{i}&good&0&5\n" for i, name in enumerate(names)))
    assert "Annotations.txt" in differing(folder.root)
    assert differing(folder.root, quick=True) == {}


def test_simulations_are_not_compared(tmp_path):
    simulate(Simulation(videos=60, grid=(1, 1), visual_dim=2), tmp_path / "d")
    assert differing(tmp_path / "d") == {}


# -- the marker of a simulation --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    root = tmp_path_factory.mktemp("simulation") / "d"
    simulate(Simulation(videos=30, grid=(1, 1), visual_dim=2), root)
    return root


def marker_of(simulation, **changes):
    marker = json.loads((simulation / "simulated.json").read_text())
    for key, value in changes.items():
        if value is None:
            del marker[key]
        else:
            marker[key] = value
    return marker


DAMAGES = {
    "empty": (b"", "an empty file"),
    "truncated": (b'{"simulated": tr', "not JSON"),
    "binary": (b"\xff\xfe\0", "not JSON"),
    "a list": (b"[]", "a list instead of an object"),
    "null": (b"null", "a NoneType instead of an object"),
    "no keys": (b"{}", "no simulated, note, seed"),
    "no simulated": ({"simulated": None}, "no simulated"),
    "no note": ({"note": None}, "no note"),
    "no seed": ({"seed": None}, "no seed"),
    "denied": ({"simulated": False}, "simulated is false"),
    "text": ({"simulated": "yes"}, "simulated is 'yes'"),
    "number": ({"simulated": 1}, "simulated is 1"),
    "seed": ({"seed": "0"}, "seed is '0'"),
    "files": ({"files": 3}, "files is 3"),
    "folder": (None, "is a directory"),
    "link": (None, "no such file"),
    "deep": (b"[" * 100_000, "not JSON"),
}


@pytest.fixture(params=DAMAGES)
def damaged(request, simulation, tmp_path):
    content, found = DAMAGES[request.param]
    root = tmp_path / "d"
    shutil.copytree(simulation, root)
    marker = root / "simulated.json"
    marker.unlink()
    if request.param == "folder":
        marker.mkdir()
    elif request.param == "link":
        marker.symlink_to(tmp_path / "nowhere")
    elif isinstance(content, dict):
        marker.write_text(json.dumps(marker_of(simulation, **content)))
    else:
        marker.write_bytes(content)
    return root, found


def test_a_damaged_marker_never_passes_for_real_data(damaged, told, tmp_path):
    root, found = damaged
    with pytest.raises(DataError, match="marker of a simulated folder is damaged") as caught:
        AveConfig(root=root).open("full")
    assert found in caught.value.found
    assert caught.value.where == str(root / "simulated.json")
    errors = [f for f in examine(root, quick=True).findings if f.level == "error"]
    assert [(f.file, f.found) for f in errors] == [("simulated.json", caught.value.found)]
    data = json.loads(told("status", root, "--json"))
    assert data["simulated"]["simulated"] is True
    assert found in data["simulated"]["damaged"]
    assert "treat the features in this folder as simulated" in " ".join(told("status", root).split())
    with pytest.raises(DataError, match="marker of a simulated folder is damaged"):
        pack(root, tmp_path / "packed")
    with pytest.raises(UsageError, match="holds other files"):
        simulate(Simulation(videos=30, grid=(1, 1), visual_dim=2), root)


def test_a_sound_marker_is_part_of_the_record(simulation):
    assert AveConfig(root=simulation).open("full").fingerprint()["simulated"] == "by avelzoo, seed 0"
    assert np.isfinite(AveConfig(root=simulation).open("full").split("val").fetch([0])[0].audio.numpy()).all()


def test_order_files_are_four_of_the_clone():
    assert [SOURCES[name].by_clone for name in ("Annotations.txt", *ORDERS.values())] == [True] * 4
