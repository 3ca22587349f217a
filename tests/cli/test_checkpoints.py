"""Reading strangers' checkpoint files."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from avelzoo.errors import RunError
from avelzoo.interop import read_state_dict


class Trap:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("wrap", [None, "state_dict", "model"])
def test_plain_and_wrapped_state_dicts_are_read(tmp_path, wrap):
    state = OrderedDict(a=torch.arange(3.0), b=torch.ones(2, 2, dtype=torch.int64))
    torch.save({wrap: state, "epoch": 3} if wrap else state, tmp_path / "x.pt")
    read = read_state_dict(tmp_path / "x.pt")
    assert list(read) == ["a", "b"]
    assert all(torch.equal(read[key], state[key]) for key in state)


def test_safetensors_are_read(tmp_path):
    save_file({"a": torch.arange(3.0)}, tmp_path / "x.safetensors")
    assert torch.equal(read_state_dict(tmp_path / "x.safetensors")["a"], torch.arange(3.0))


def test_code_in_a_checkpoint_does_not_run(tmp_path):
    torch.save({"a": torch.ones(1), "b": Trap(tmp_path / "mark")}, tmp_path / "x.pt")
    with pytest.raises(RunError, match="which no module needs"):
        read_state_dict(tmp_path / "x.pt")
    assert not (tmp_path / "mark").exists()


def test_damaged_and_foreign_files_are_refused(tmp_path):
    torch.save({"a": torch.zeros(100)}, tmp_path / "whole.pt")
    whole = (tmp_path / "whole.pt").read_bytes()
    for name, content in {
        "half.pt": whole[:400],
        "empty.pt": b"",
        "text.pt": b"hello " * 99,
        "x.safetensors": b"1",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(RunError):
            read_state_dict(tmp_path / name)
    with pytest.raises(RunError, match="no such"):
        read_state_dict(tmp_path / "gone.pt")


@pytest.mark.parametrize("value", [{}, {"a": 3}, [torch.ones(1)], torch.ones(1), {"model": {"a": "text"}}], ids=repr)
def test_what_is_no_state_dict_is_refused(tmp_path, value):
    torch.save(value, tmp_path / "x.pt")
    with pytest.raises(RunError, match="not a state dict"):
        read_state_dict(tmp_path / "x.pt")
