"""Whatever goes wrong: one message, one exit code, no traceback, and JSON where JSON was asked for."""

from __future__ import annotations

import errno

import pytest

from avelzoo import errors
from avelzoo.cli import failures


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (errors.DataError("odd file", where="a.h5"), 3, "a.h5"),
        (errors.RunError("no run"), 4, "no run"),
        (errors.PluginError("bad plugin"), 6, "bad plugin"),
        (errors.TrainingError("loss is nan"), 7, "loss is nan"),
        (OSError(errno.ENOSPC, "No space left on device", "x/best"), 5, "free some space"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 5, "permission"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "gone"), 3, "gone"),
        (MemoryError(), 7, "--batch-size"),
        (KeyboardInterrupt(), 130, "--resume"),
        (ValueError("surprise\nwith a second line"), 1, "report"),
    ],
)
def test_every_failure_has_a_message_and_a_code(call, monkeypatch, error, code, said):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr("avelzoo.cli.catalogue.row", fail)
    told = call("list")
    assert told.code == code
    assert said in told.err
    assert told.err.startswith("error: ")
    assert "Traceback" not in told.err
    assert told.out == ""

    told = call("list", "--json")
    assert told.code == code == told.json["exit_code"]
    assert told.json["error"]


def test_traceback_of_a_surprise_only_on_request(call, monkeypatch):
    def fail(*args, **kwargs):
        raise ValueError("surprise")

    monkeypatch.setattr("avelzoo.cli.catalogue.row", fail)
    monkeypatch.setenv("AVELZOO_DEBUG", "1")
    told = call("list")
    assert told.code == 1
    assert "Traceback" in told.err
    assert "surprise" in told.err


def test_errors_in_color_on_a_terminal():
    import io

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    failures._print(errors.DataError("odd [file]", where="a: b", fix="look"), stream)
    shown = stream.getvalue()
    assert "odd [file]" in shown
    assert "a: b" in shown


def test_usage_errors_as_json(call):
    told = call("run", "ead-b", "--memory.sise", "3", "--json")
    assert told.code == 2 == told.json["exit_code"]
    assert "--memory.size" in told.json["problem"]
