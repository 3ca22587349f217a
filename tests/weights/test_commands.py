"""`avelzoo weights` says what is there, what is missing, and what to do."""

from __future__ import annotations

import hashlib
import socket

import pytest

from avelzoo.extractors import ExtractorConfig
from avelzoo.plugin.default import default_host
from avelzoo.weights.catalogue import known_weights


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of weights, and no network."""

    def refuse(*what: object) -> None:
        raise AssertionError(f"the network is used: {what}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("AVELZOO_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights"


def test_the_list_has_every_file_of_every_registered_extractor(folder, call):
    told = call("weights", "list", "--json")
    rows = {row["name"]: row for row in told.json["weights"]}
    assert told.code == 0
    assert told.json["folder"] == str(folder)
    entries = default_host().registry.entries("extractor")
    needed = {file.name for entry in entries for file in entry.target().weights()}
    assert needed | {"vgg19-imagenet", "vgg19-keras", "efficientnet-lite0"} <= rows.keys()
    assert rows["vgg19-keras"]["state"] == "missing"
    assert rows["vgg19-keras"]["path"].startswith(str(folder))
    assert rows["vgg19-imagenet"]["extractors"] == ["vgg19 source=imagenet"]
    assert all(row["licence"] and row["source"] for row in rows.values())


def test_the_list_for_people(folder, call):
    told = call("weights", "list")
    assert told.code == 0
    assert "vgg19-keras: missing" in told.out
    assert f"must lie in {folder}" in told.out
    assert "CC-BY-4.0" in told.out


def test_a_file_without_published_checksum_is_accepted_with_its_own(folder, call):
    content = (2).to_bytes(8, "little") + b"{}"
    path = folder / "timm-resnet18.a1_in1k.safetensors"
    path.write_bytes(content)
    told = call("weights", "verify", "timm:resnet18", "--json")
    (row,) = told.json
    assert (told.code, row["state"], row["sha256"]) == (0, "present", hashlib.sha256(content).hexdigest())
    assert call("weights", "path", "timm:resnet18").out.strip() == str(path)
    assert "is its own" in call("weights", "verify", "timm:resnet18").out


def test_a_damaged_file_ends_with_one_message(folder, call):
    (folder / "efficientnet-lite0-57934424.pth").write_bytes(b"half")
    for argv in (("verify",), ("verify", "efficientnet-lite0"), ("path", "efficientnet-lite0")):
        told = call("weights", *argv)
        assert told.code == 3
        assert told.err.count("error: weights 'efficientnet-lite0' are damaged") == 1
        assert "Traceback" not in told.err
    told = call("weights", "verify", "--json")
    assert told.code == 3
    assert next(row for row in told.json if row["name"] == "efficientnet-lite0")["state"] == "damaged"


def test_missing_files_fail_only_where_they_are_named(folder, call):
    assert call("weights", "verify").code == 0
    told = call("weights", "verify", "vgg19-keras")
    assert told.code == 3
    assert "'vgg19-keras' are missing" in told.err
    told = call("weights", "path", "timm:resnet18", "--offline")
    assert told.code == 3
    assert told.out.strip() == str(folder / "timm-resnet18.a1_in1k.safetensors")


def test_downloads_respect_the_environment(folder, call, monkeypatch):
    monkeypatch.setenv("AVELZOO_OFFLINE", "1")
    told = call("weights", "path", "timm:resnet18", "--download")
    assert told.code == 3
    assert "unset AVELZOO_OFFLINE" in told.err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("path", "vgg-19"), "did you mean 'vgg19'?"),
        (("path", "colour-motion"), "needs no weights"),
        (("path", "timm:resnet81"), "did you mean 'resnet18'?"),
        (("path", "vgg19", "--download", "--offline"), "mutually exclusive"),
        (("verify", "nonsense"), "unknown weights 'nonsense'"),
    ],
)
def test_requests_that_make_no_sense(folder, call, argv, said):
    told = call("weights", *argv)
    assert told.code == 2
    assert said in told.err


def test_a_file_in_the_cache_of_the_hub_is_found(folder, call, tmp_path, monkeypatch):
    import huggingface_hub

    path = tmp_path / "cached.safetensors"
    path.write_bytes((2).to_bytes(8, "little") + b"{}")
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda repository, member: str(path))
    told = call("weights", "path", "timm:resnet18", "--json")
    assert told.code == 0
    assert told.json[0]["origin"] == "cache of the Hugging Face hub"
    assert told.json[0]["path"] == str(path)


def test_files_of_several_extractors_are_listed_once():
    known = known_weights(default_host().registry)
    names = [one.file.name for one in known]
    assert names == sorted(set(names))
    assert all(issubclass(entry.target, ExtractorConfig) for entry in default_host().registry.entries("extractor"))
