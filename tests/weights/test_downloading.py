"""The network is used only when it may be, and what it sends is verified."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest

from avelzoo.errors import DataError
from avelzoo.extractors import WeightsFile
from avelzoo.system.locking import lock_folder
from avelzoo.weights.downloading import remove_abandoned
from avelzoo.weights.offline import offline_by_environment
from avelzoo.weights.store import WeightStore

CONTENT = b"weights of a small network"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FILE = WeightsFile(
    name="small", file="small.bin", licence="MIT", source="its authors", hub="owner/name:small.bin", sha256=DIGEST
)


@pytest.fixture(autouse=True)
def _no_switches(monkeypatch):
    for name in ("AVELZOO_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def attempts(monkeypatch) -> list[str]:
    """Attempts to reach the network; each fails."""
    made: list[str] = []

    def refuse(*what: object) -> None:
        made.append(str(what))
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return made


@pytest.fixture
def hub(monkeypatch):
    """A hub that sends one file."""
    sent = SimpleNamespace(content=CONTENT, etag=DIGEST, size=len(CONTENT))

    def send(repository: str, member: str, local_dir: Path) -> str:
        (local_dir / member).write_bytes(sent.content)
        return str(local_dir / member)

    monkeypatch.setattr(huggingface_hub, "hf_hub_url", lambda repository, member: f"{repository}/{member}")
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", lambda url: sent)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", send)
    return sent


@pytest.mark.parametrize("switch", ["", "AVELZOO_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_never_touches_the_network(switch, attempts, monkeypatch, tmp_path):
    if switch:
        monkeypatch.setenv(switch, "1")
    store = WeightStore(tmp_path, offline=not switch)
    with pytest.raises(DataError, match="'small' are missing"):
        store(FILE)
    store.status(FILE)
    assert attempts == []


def test_online_tries_and_says_why_it_failed(attempts, tmp_path):
    with pytest.raises(DataError, match="cannot be downloaded") as caught:
        WeightStore(tmp_path)(FILE)
    assert attempts
    assert str(tmp_path / "small.bin") in caught.value.fix
    assert list(tmp_path.iterdir()) == []


def test_switches_can_be_off():
    assert offline_by_environment({"AVELZOO_OFFLINE": "0", "HF_HUB_OFFLINE": "true"}) == "HF_HUB_OFFLINE"
    assert offline_by_environment({"AVELZOO_OFFLINE": "no"}) == ""


def test_a_verified_download_is_kept(hub, tmp_path):
    path = WeightStore(tmp_path / "new")(FILE)
    assert path.read_bytes() == CONTENT
    assert [p.name for p in path.parent.iterdir()] == ["small.bin"]


@pytest.mark.parametrize(
    ("change", "known", "said"),
    [
        ({"content": CONTENT[:-1]}, DIGEST, "another or a damaged file"),
        ({"content": CONTENT[:-1]}, "", "another or a damaged file"),  # against the hub's checksum
        ({"content": CONTENT[:-1], "etag": "abc"}, "", "an incomplete file: 25 bytes of 26"),
        ({"content": b"<html>blocked</html>", "etag": None, "size": None}, "", "a web page"),
        ({"content": b"", "etag": None, "size": None}, "", "0 bytes"),
    ],
)
def test_anything_else_is_refused_and_removed(hub, tmp_path, change, known, said):
    vars(hub).update(change)
    with pytest.raises(DataError, match=said):
        WeightStore(tmp_path)(replace(FILE, sha256=known))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs locks on folders")
def test_remains_of_killed_downloads_are_removed_and_running_ones_stay(hub, tmp_path):
    killed, running, other = (
        tmp_path / name for name in (".small.bin.partial-a", ".small.bin.partial-b", ".large.bin.partial-c")
    )
    for folder in (killed, running, other):
        folder.mkdir()
        (folder / "small.bin").write_bytes(CONTENT[:5])
    lock = lock_folder(running)
    assert lock is not None
    WeightStore(tmp_path)(FILE)
    os.close(lock)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([other.name, running.name, "small.bin"])
    remove_abandoned(tmp_path / "small.bin")
    assert not running.exists()


def test_a_kill_in_the_middle_leaves_no_file_in_the_place(hub, tmp_path, monkeypatch):
    def cut(repository: str, member: str, local_dir: Path) -> str:
        (local_dir / member).write_bytes(CONTENT[:5])
        raise KeyboardInterrupt

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", cut)
    with pytest.raises(KeyboardInterrupt):
        WeightStore(tmp_path)(FILE)
    assert WeightStore(tmp_path, offline=True).status(FILE).state == "missing"


def test_a_folder_that_cannot_be_written(hub, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Exception, match="cannot be written"):
        WeightStore(tmp_path / "file")(FILE)
